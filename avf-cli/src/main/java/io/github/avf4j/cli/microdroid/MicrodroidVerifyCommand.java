package io.github.avf4j.cli.microdroid;

import io.github.avf4j.attestation.avb.AvbPublicKey;
import io.github.avf4j.attestation.pvmfw.VerifiedPayload;
import io.github.avf4j.cli.internal.FileCommand;
import io.github.avf4j.cli.internal.KeyFiles;
import io.github.avf4j.microdroid.base.BaseImage;
import io.github.avf4j.microdroid.base.BaseImageVerifier;
import io.github.avf4j.microdroid.base.DevelopmentKey;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code avf microdroid verify}. */
@Command(
    name = "verify",
    description = {
      "Checks that the files of a base image belong together and that one key signed them, as a",
      "machine does that boots from it."
    },
    mixinStandardHelpOptions = true,
    sortOptions = false)
final class MicrodroidVerifyCommand extends FileCommand {
  @Parameters(paramLabel = "DIR", description = "What \"avf microdroid build\" made.")
  private Path folder = Path.of("");

  @Option(
      names = "--key",
      paramLabel = "FILE",
      description =
          "The RSA key that must have signed, in PEM or AVB's format (the published one, for"
              + " development only).")
  private @Nullable Path key;

  @Override
  protected void run() {
    AvbPublicKey trusted = key == null ? DevelopmentKey.publicKey() : KeyFiles.publicKey(key);
    VerifiedPayload image = BaseImageVerifier.verify(BaseImage.open(folder), trusted);
    line("key", "sha1:" + trusted.sha1() + (isDevelopment(trusted) ? " (development)" : ""));
    line("rollback index", Long.toUnsignedString(image.rollbackIndex()));
    line("kernel", "sha256:" + image.kernelDigest().toHex());
    out().println("valid");
  }

  private static boolean isDevelopment(AvbPublicKey key) {
    return key.equals(DevelopmentKey.publicKey());
  }
}
