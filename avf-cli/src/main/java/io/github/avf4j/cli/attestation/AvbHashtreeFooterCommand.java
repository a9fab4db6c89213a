package io.github.avf4j.cli.attestation;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.avb.HashtreeDescriptor;
import io.github.avf4j.attestation.avb.HashtreeFooter;
import io.github.avf4j.attestation.avb.VbmetaBuilder;
import io.github.avf4j.attestation.verity.VerityHash;
import io.github.avf4j.cli.internal.FileCommand;
import io.github.avf4j.cli.internal.InputFile;
import io.github.avf4j.cli.internal.OutputFile;
import io.github.avf4j.cli.internal.ValueConverters;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code avf avb add-hashtree-footer}. */
@Command(
    name = "add-hashtree-footer",
    aliases = "add_hashtree_footer",
    description = "Appends a dm-verity tree, parity and a footer to the image of a file system.",
    mixinStandardHelpOptions = true,
    sortOptions = false)
final class AvbHashtreeFooterCommand extends FileCommand {
  @Mixin private final FooterOptions footer = new FooterOptions();

  @Option(
      names = "--hash_algorithm",
      paramLabel = "NAME",
      converter = HashName.class,
      defaultValue = "sha1",
      description = "sha1, sha256, sha512 or blake2b-256 (${DEFAULT-VALUE}, as in avbtool).")
  private VerityHash hash = VerityHash.SHA1;

  @Option(
      names = "--block_size",
      paramLabel = "N",
      converter = ValueConverters.Whole.class,
      defaultValue = "4096",
      description = "The size of data and hash blocks (${DEFAULT-VALUE}).")
  private int blockSize = 4096;

  @Option(names = "--generate_fec", hidden = true, description = "Does nothing: parity is made.")
  private boolean generateFec;

  @Option(names = "--do_not_generate_fec", description = "Makes no parity.")
  private boolean doNotGenerateFec;

  @Option(
      names = "--fec_num_roots",
      paramLabel = "N",
      converter = ValueConverters.Whole.class,
      defaultValue = "2",
      description = "The bytes of parity of each code word, 2 to 24 (${DEFAULT-VALUE}).")
  private int fecRoots = 2;

  @Option(names = "--no_hashtree", description = "Does not append the tree.")
  private boolean noHashtree;

  @Option(
      names = "--check_at_most_once",
      description = "Says that blocks are checked only when they are read for the first time.")
  private boolean checkAtMostOnce;

  @Option(
      names = "--setup_as_rootfs_from_kernel",
      description = "Adds the arguments by which a kernel mounts this partition as its root.")
  private boolean setUpAsRoot;

  @Mixin private final VbmetaOptions vbmeta = new VbmetaOptions();

  @Override
  protected void run() throws IOException {
    if (vbmeta.printVersion()) {
      out().println(requiredVersion());
      return;
    }
    HashtreeFooter maker = maker();
    if (footer.calculateMaxImageSize) {
      if (footer.partitionSize == 0) {
        throw usage("--calc_max_image_size needs a --partition_size");
      }
      out().println(maker.maxImageSize(footer.partitionSize));
      return;
    }
    Path file = footer.file(this);
    InputFile.requireFile(file);
    VbmetaBuilder builder = vbmeta.builder(this);
    HashtreeFooter.Made made = maker.addTo(file, builder);
    if (footer.outputVbmeta != null) {
      OutputFile.write(footer.outputVbmeta, made.vbmeta().toByteArray());
    }
    if (footer.doNotAppend) {
      cut(file, made.descriptor());
    }
  }

  /** Takes vbmeta image and footer away again; the tree and the parity stay. */
  private static void cut(Path file, HashtreeDescriptor tree) throws IOException {
    long end = tree.treeOffset() + tree.treeSize() + tree.fecSize();
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.truncate(end);
    }
  }

  private HashtreeFooter maker() {
    HashtreeFooter maker =
        HashtreeFooter.forPartition(footer.partitionName())
            .hash(hash)
            .blockSize(blockSize)
            .partitionSize(footer.partitionSize)
            .fecRoots(doNotGenerateFec ? 0 : fecRoots);
    if (footer.salt != null) {
      maker.salt(footer.salt);
    }
    if (footer.persistentDigest) {
      maker.persistentDigest();
    }
    if (noHashtree) {
      maker.withoutTree();
    }
    if (checkAtMostOnce) {
      maker.checkAtMostOnce();
    }
    if (setUpAsRoot) {
      maker.asRoot();
    }
    return footer.doNotUseAb ? maker.doNotUseAb() : maker;
  }

  private String requiredVersion() throws IOException {
    int flags =
        (footer.doNotUseAb ? HashtreeDescriptor.DO_NOT_USE_AB : 0)
            | (checkAtMostOnce ? HashtreeDescriptor.CHECK_AT_MOST_ONCE : 0);
    ByteSlice root = footer.persistentDigest ? ByteSlice.EMPTY : ByteSlice.takeOver(new byte[1]);
    HashtreeDescriptor descriptor =
        new HashtreeDescriptor(
            1,
            0,
            0,
            0,
            blockSize,
            blockSize,
            0,
            0,
            0,
            hash.kernelName(),
            footer.partitionName(),
            ByteSlice.EMPTY,
            root,
            flags);
    return VbmetaOptions.requiredVersion(vbmeta.builder(this).add(descriptor).build());
  }
}
