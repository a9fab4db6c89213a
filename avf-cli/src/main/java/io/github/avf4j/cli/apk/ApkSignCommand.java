package io.github.avf4j.cli.apk;

import io.github.avf4j.cli.attestation.InputFile;
import io.github.avf4j.microdroid.apk.PackageSigner;
import io.github.avf4j.microdroid.apk.SigningKey;
import io.github.avf4j.microdroid.apk.VerifiedApk;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code avf apk sign}. */
@Command(
    name = "sign",
    description = "Signs an APK by schemes v2 and v3, instead of whoever signed it before.",
    mixinStandardHelpOptions = true,
    sortOptions = false)
final class ApkSignCommand extends PackageCommand {
  private static final int MAX_PEM = 1 << 20;

  @Parameters(index = "0", paramLabel = "FILE", description = "The APK.")
  private Path file = Path.of("");

  @Parameters(index = "1", paramLabel = "OUT", description = "The signed APK.")
  private Path target = Path.of("");

  @Option(
      names = "--key",
      paramLabel = "PEM",
      required = true,
      description = "The private key, RSA or EC, not encrypted.")
  private Path key = Path.of("");

  @Option(
      names = "--cert",
      paramLabel = "PEM",
      required = true,
      description = "The key's certificate, and others after it.")
  private Path certificate = Path.of("");

  @Option(
      names = "--idsig",
      paramLabel = "FILE",
      description = "Writes an idsig that is signed by the same key, too.")
  private @Nullable Path idsig;

  @Override
  void run() throws IOException {
    byte[] secret = InputFile.read(key, MAX_PEM);
    SigningKey signer;
    try {
      signer = SigningKey.ofPem(secret, InputFile.read(certificate, MAX_PEM));
    } finally {
      Arrays.fill(secret, (byte) 0);
    }
    InputFile.open(file).close();
    VerifiedApk apk = PackageSigner.sign(file, signer, target, idsig);
    line("digest", apk.contentDigest().toHex());
    line("certificate", "sha512:" + apk.certificateHash().toHex());
    apk.remarks().forEach(remark -> line("remark", remark));
  }
}
