package io.github.avf4j.cli.image;

import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.cli.ProgressBar;
import io.github.avf4j.cli.internal.FileCommand;
import io.github.avf4j.cli.internal.InputFile;
import io.github.avf4j.cli.internal.ValueConverters;
import io.github.avf4j.microdroid.disk.DiskImage;
import io.github.avf4j.microdroid.disk.RawWriter;
import io.github.avf4j.microdroid.disk.SparseWriter;
import io.github.avf4j.microdroid.erofs.ErofsTree;
import io.github.avf4j.microdroid.erofs.ErofsWriter;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code avf image make}. */
@Command(
    name = "make",
    description = {
      "Makes an image: of a folder with EROFS, of a raw image with sparse, and of a sparse or",
      "composite one with raw. The image appears whole or not at all."
    },
    mixinStandardHelpOptions = true,
    sortOptions = false)
final class ImageMakeCommand extends FileCommand {
  /** What can be made. */
  enum Format {
    erofs,
    sparse,
    raw
  }

  @Option(
      names = "--format",
      required = true,
      paramLabel = "FORMAT",
      description = "${COMPLETION-CANDIDATES}.")
  private Format format = Format.raw;

  @Option(
      names = "--owner",
      paramLabel = "UID:GID",
      converter = ValueConverters.OwnerOfFiles.class,
      description = "EROFS: the owner of all files (0:0).")
  private ValueConverters.Owner owner = ValueConverters.Owner.ROOT;

  @Option(
      names = "--mtime",
      paramLabel = "SECONDS",
      description = "EROFS: the time of all files, since 1970 (0).")
  private long mtime;

  @Option(
      names = "--label",
      paramLabel = "TEXT",
      description = "EROFS: the name of the file system, at most 16 bytes.")
  private String label = "";

  @Option(
      names = "--block-size",
      paramLabel = "BYTES",
      description = "sparse: a multiple of 4 (${DEFAULT-VALUE}).",
      defaultValue = "4096")
  private int blockSize = SparseWriter.BLOCK_SIZE;

  @Option(names = "--checksum", description = "sparse: adds the CRC-32 of the content.")
  private boolean checksum;

  @Parameters(index = "0", paramLabel = "SOURCE", description = "A folder or an image.")
  private Path source = Path.of("");

  @Parameters(index = "1", paramLabel = "OUT", description = "The image to make.")
  private Path target = Path.of("");

  @Override
  protected void run() throws IOException {
    try (ProgressBar bar = bar("writing")) {
      switch (format) {
        case erofs -> erofs(bar);
        case sparse -> sparse(bar);
        default -> raw(bar);
      }
    }
  }

  private void erofs(ProgressBar bar) throws IOException {
    if (!Files.exists(source)) {
      throw new NoSuchFileException(source.toString());
    }
    requireOutside(target, source);
    ErofsTree tree = ErofsTree.of(source, owner.uid(), owner.gid());
    new ErofsWriter(mtime, label).write(tree, target, bar::at);
  }

  private void sparse(ProgressBar bar) throws IOException {
    SparseWriter writer = new SparseWriter(blockSize, checksum);
    try (FileChannel channel = InputFile.open(source)) {
      writer.write(ImageSource.of(channel), target, bar::at);
    }
  }

  private void raw(ProgressBar bar) throws IOException {
    InputFile.requireFile(source);
    try (DiskImage disk = DiskImage.open(source)) {
      RawWriter.write(disk, target, bar::at);
    }
  }
}
