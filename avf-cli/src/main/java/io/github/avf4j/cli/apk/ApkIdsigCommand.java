package io.github.avf4j.cli.apk;

import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.cli.ProgressBar;
import io.github.avf4j.cli.internal.FileCommand;
import io.github.avf4j.cli.internal.InputFile;
import io.github.avf4j.cli.internal.WatchedSource;
import io.github.avf4j.microdroid.apk.ApkPolicy;
import io.github.avf4j.microdroid.apk.IdsigWriter;
import io.github.avf4j.microdroid.apk.VerifiedApk;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code avf apk idsig}. */
@Command(
    name = "idsig",
    description = "Verifies an APK and writes the unsigned idsig that a guest needs next to it.",
    mixinStandardHelpOptions = true,
    sortOptions = false)
final class ApkIdsigCommand extends FileCommand {
  @Parameters(index = "0", paramLabel = "FILE", description = "The APK.")
  private Path file = Path.of("");

  @Parameters(index = "1", paramLabel = "OUT", description = "The idsig.")
  private Path target = Path.of("");

  @Mixin private final PolicyOptions options = new PolicyOptions();

  @Override
  protected void run() throws IOException {
    ApkPolicy policy = options.policy(this);
    VerifiedApk apk;
    try (FileChannel channel = InputFile.open(file);
        ProgressBar bar = bar("hashing")) {
      apk = IdsigWriter.write(new WatchedSource(ImageSource.of(channel), bar), policy, target);
    }
    line("digest", apk.contentDigest().toHex());
    line("root hash", apk.rootHash().toHex());
  }
}
