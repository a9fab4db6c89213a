package io.github.avf4j.cli.attestation;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.avb.HashDescriptor;
import io.github.avf4j.attestation.avb.HashFooter;
import io.github.avf4j.attestation.avb.VbmetaBuilder;
import io.github.avf4j.attestation.verity.VerityHash;
import io.github.avf4j.cli.internal.FileCommand;
import io.github.avf4j.cli.internal.InputFile;
import io.github.avf4j.cli.internal.OutputFile;
import java.io.IOException;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code avf avb add-hash-footer}. */
@Command(
    name = "add-hash-footer",
    aliases = "add_hash_footer",
    description = "Appends the digest of a kernel or ramdisk, and a footer, to its image.",
    mixinStandardHelpOptions = true,
    sortOptions = false)
final class AvbHashFooterCommand extends FileCommand {
  @Mixin private final FooterOptions footer = new FooterOptions();

  @Option(
      names = "--dynamic_partition_size",
      description = "Makes the partition just large enough.")
  private boolean dynamicPartitionSize;

  @Option(
      names = "--hash_algorithm",
      paramLabel = "NAME",
      converter = HashName.class,
      defaultValue = "sha256",
      description = "sha256 or sha512 (${DEFAULT-VALUE}).")
  private VerityHash hash = VerityHash.SHA256;

  @Mixin private final VbmetaOptions vbmeta = new VbmetaOptions();

  @Override
  protected void run() throws IOException {
    if (vbmeta.printVersion()) {
      out().println(requiredVersion());
      return;
    }
    if (dynamicPartitionSize == (footer.partitionSize != 0)) {
      throw usage("there must be one of --partition_size and --dynamic_partition_size");
    }
    if (footer.calculateMaxImageSize) {
      if (dynamicPartitionSize) {
        throw usage("--calc_max_image_size needs a --partition_size");
      }
      out().println(HashFooter.maxImageSize(footer.partitionSize));
      return;
    }
    Path file = footer.file(this);
    HashFooter made = maker(footer.requirePartitionName(this));
    InputFile.requireFile(file);
    VbmetaBuilder builder = vbmeta.builder(this);
    ByteSlice image =
        (footer.doNotAppend ? made.makeFor(file, builder) : made.addTo(file, builder)).vbmeta();
    if (footer.outputVbmeta != null) {
      OutputFile.write(footer.outputVbmeta, image.toByteArray());
    }
  }

  private HashFooter maker(String partition) {
    HashFooter maker = HashFooter.forPartition(partition).hash(hash);
    if (footer.salt != null) {
      maker.salt(footer.salt);
    }
    if (footer.partitionSize != 0) {
      maker.partitionSize(footer.partitionSize);
    }
    if (footer.persistentDigest) {
      maker.persistentDigest();
    }
    return footer.doNotUseAb ? maker.doNotUseAb() : maker;
  }

  private String requiredVersion() throws IOException {
    ByteSlice digest = footer.persistentDigest ? ByteSlice.EMPTY : ByteSlice.takeOver(new byte[1]);
    HashDescriptor descriptor =
        new HashDescriptor(
            0,
            hash.kernelName(),
            footer.partitionName(),
            ByteSlice.EMPTY,
            digest,
            footer.doNotUseAb ? HashDescriptor.DO_NOT_USE_AB : 0);
    return VbmetaOptions.requiredVersion(vbmeta.builder(this).add(descriptor).build());
  }
}
