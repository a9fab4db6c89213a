package io.github.avf4j.cli.apk;

import io.github.avf4j.cli.internal.KeyFiles;
import io.github.avf4j.microdroid.apk.SigningKey;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Who signs an APK: both options or none. */
final class SignerOptions {
  @Option(
      names = "--key",
      paramLabel = "PEM",
      required = true,
      description = "The private key that signs, RSA or EC, not encrypted.")
  private Path key = Path.of("");

  @Option(
      names = "--cert",
      paramLabel = "PEM",
      required = true,
      description = "The key's certificate, and others after it.")
  private Path certificate = Path.of("");

  SigningKey read() {
    return KeyFiles.signingKey(key, certificate);
  }
}
