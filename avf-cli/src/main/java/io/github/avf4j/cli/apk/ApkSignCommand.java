package io.github.avf4j.cli.apk;

import io.github.avf4j.cli.internal.FileCommand;
import io.github.avf4j.cli.internal.InputFile;
import io.github.avf4j.microdroid.apk.PackageSigner;
import io.github.avf4j.microdroid.apk.SigningKey;
import io.github.avf4j.microdroid.apk.VerifiedApk;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code avf apk sign}. */
@Command(
    name = "sign",
    description = "Signs an APK by schemes v2 and v3, instead of whoever signed it before.",
    mixinStandardHelpOptions = true,
    sortOptions = false)
final class ApkSignCommand extends FileCommand {
  @Parameters(index = "0", paramLabel = "FILE", description = "The APK.")
  private Path file = Path.of("");

  @Parameters(index = "1", paramLabel = "OUT", description = "The signed APK.")
  private Path target = Path.of("");

  @ArgGroup(exclusive = false, multiplicity = "1")
  private SignerOptions signer = new SignerOptions();

  @Option(
      names = "--idsig",
      paramLabel = "FILE",
      description = "Writes an idsig that is signed by the same key, too.")
  private @Nullable Path idsig;

  @Override
  protected void run() throws IOException {
    SigningKey key = signer.read();
    InputFile.open(file).close();
    VerifiedApk apk = PackageSigner.sign(file, key, target, idsig);
    line("digest", apk.contentDigest().toHex());
    line("certificate", "sha512:" + apk.certificateHash().toHex());
    apk.remarks().forEach(remark -> line("remark", remark));
  }
}
