package io.github.avf4j.cli.image;

import io.github.avf4j.attestation.avb.AvbFooter;
import io.github.avf4j.attestation.avb.ImageReport;
import io.github.avf4j.attestation.avb.ImageVerifier;
import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.cli.ProgressBar;
import io.github.avf4j.cli.internal.FileCommand;
import io.github.avf4j.cli.internal.InputFile;
import io.github.avf4j.cli.internal.Table;
import io.github.avf4j.cli.internal.Text;
import io.github.avf4j.microdroid.disk.DiskImage;
import io.github.avf4j.microdroid.disk.PartitionTable;
import io.github.avf4j.microdroid.disk.SparseImage;
import io.github.avf4j.microdroid.erofs.ErofsImage;
import io.github.avf4j.microdroid.image.ImageException;
import io.github.avf4j.microdroid.image.ImageFormat;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code avf image verify}. */
@Command(
    name = "verify",
    description = {
      "Checks all that an image says of itself: checksums, ranges, both partition tables, every",
      "folder, and an AVB footer where there is one (but not whose key it is)."
    },
    mixinStandardHelpOptions = true)
final class ImageVerifyCommand extends FileCommand {
  @Parameters(paramLabel = "FILE", description = "The image.")
  private Path file = Path.of("");

  @Override
  protected void run() throws IOException {
    ImageFormat format = ImageInspector.inspect(file, new Table());
    switch (format) {
      case SPARSE -> sparse();
      case COMPOSITE, GPT -> disk();
      case EROFS -> erofs();
      case BOOT, VENDOR_BOOT -> footer(format);
      default -> {
        // Their headers are all that they say of themselves.
      }
    }
    out().println("valid " + format);
  }

  private void sparse() throws IOException {
    try (FileChannel channel = InputFile.open(file);
        ProgressBar bar = bar("verifying")) {
      long found = SparseImage.open(ImageSource.of(channel)).verify(bar::at);
      out().println(found + (found == 1 ? " checksum holds" : " checksums hold"));
    }
  }

  private void disk() throws IOException {
    try (DiskImage disk = DiskImage.open(file)) {
      int count = PartitionTable.read(disk).partitions().size();
      out().println("both tables agree on " + count + (count == 1 ? " partition" : " partitions"));
    }
  }

  private void erofs() throws IOException {
    try (FileChannel channel = InputFile.open(file)) {
      ErofsImage.Content content = ErofsImage.open(ImageSource.of(channel)).verify();
      new Table()
          .row("folders", content.directories())
          .row("files", content.files())
          .row("symbolic links", content.symlinks())
          .row("devices and sockets", content.others())
          .row("bytes in files", content.dataBytes())
          .row("not looked into", content.notRead())
          .print(out());
      footer(ImageFormat.EROFS);
    }
  }

  private void footer(ImageFormat format) throws IOException {
    try (FileChannel channel = InputFile.open(file)) {
      if (AvbFooter.find(ImageSource.of(channel)).isEmpty()) {
        return;
      }
    }
    ImageReport report = new ImageVerifier().verify(file);
    report.checks().forEach(check -> out().println(Text.printable(check.toString())));
    if (!report.isOk()) {
      throw new ImageException(
          format, report.decisive().subject() + ": " + report.decisive().detail());
    }
  }
}
