package io.github.avf4j.cli.apk;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.attestation.verity.TreeSink;
import io.github.avf4j.cli.ProgressBar;
import io.github.avf4j.cli.internal.FileCommand;
import io.github.avf4j.cli.internal.InputFile;
import io.github.avf4j.cli.internal.Text;
import io.github.avf4j.cli.internal.ValueConverters;
import io.github.avf4j.cli.internal.WatchedSource;
import io.github.avf4j.microdroid.verity.FsVerityDescriptor;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code avf fsverity digest}. */
@Command(
    name = "digest",
    description = "Prints the fs-verity digest of a file: SHA-256, blocks of 4096 bytes.",
    mixinStandardHelpOptions = true,
    sortOptions = false)
final class FsVerityDigestCommand extends FileCommand {
  private static final int MAX_SALT = 32;

  @Parameters(paramLabel = "FILE", arity = "1", description = "The file.")
  private Path file = Path.of("");

  @Option(
      names = "--salt",
      paramLabel = "HEX",
      converter = ValueConverters.Hex.class,
      description = "The salt, at most 32 bytes; none by default.")
  private ByteSlice salt = ByteSlice.EMPTY;

  @Override
  protected void run() throws IOException {
    if (salt.length() > MAX_SALT) {
      throw usage("--salt must have at most 32 bytes but has " + salt.length());
    }
    FsVerityDescriptor descriptor;
    try (FileChannel channel = InputFile.open(file);
        ProgressBar bar = bar("hashing")) {
      descriptor =
          FsVerityDescriptor.of(
              new WatchedSource(ImageSource.of(channel), bar), salt, TreeSink.DISCARD);
    }
    out().println("sha256:" + descriptor.digest().toHex() + " " + Text.printable(file.toString()));
  }
}
