package io.github.avf4j.cli.apk;

import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.cli.ProgressBar;
import io.github.avf4j.cli.internal.FileCommand;
import io.github.avf4j.cli.internal.InputFile;
import io.github.avf4j.cli.internal.WatchedSource;
import io.github.avf4j.microdroid.apk.ApkPolicy;
import io.github.avf4j.microdroid.apk.ApkVerifier;
import io.github.avf4j.microdroid.apk.VerifiedApk;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code avf apk verify}. */
@Command(
    name = "verify",
    description = "Verifies an APK as a guest does: its structure, its signature and its content.",
    mixinStandardHelpOptions = true,
    sortOptions = false)
final class ApkVerifyCommand extends FileCommand {
  @Parameters(paramLabel = "FILE", arity = "1", description = "The APK.")
  private Path file = Path.of("");

  @Option(
      names = "--idsig",
      paramLabel = "FILE",
      description = "The idsig that must belong to the APK.")
  private @Nullable Path idsig;

  @Mixin private final PolicyOptions options = new PolicyOptions();

  @Override
  protected void run() throws IOException {
    ApkPolicy policy = options.policy(this);
    VerifiedApk apk;
    try (FileChannel channel = InputFile.open(file);
        ProgressBar bar = bar("verifying")) {
      apk = verify(new WatchedSource(ImageSource.of(channel), bar), policy);
    }
    line("package", apk.manifest().packageName());
    line("version", Long.toUnsignedString(apk.manifest().versionCode()));
    apk.manifestFault().ifPresent(fault -> line("manifest", "not usable: " + fault));
    apk.schemes().forEach(scheme -> line("scheme", scheme));
    line("algorithm", "0x%04x".formatted(apk.signatureAlgorithm()));
    line("digest", apk.contentDigest().toHex());
    line("certificate", "sha512:" + apk.certificateHash().toHex());
    line("root hash", apk.rootHash().toHex());
    apk.remarks().forEach(remark -> line("remark", remark));
    out().println("valid");
  }

  private VerifiedApk verify(ImageSource source, ApkPolicy policy) throws IOException {
    Path signature = idsig;
    if (signature == null) {
      return ApkVerifier.verify(source, policy);
    }
    try (FileChannel channel = InputFile.open(signature)) {
      return ApkVerifier.verify(source, policy, ImageSource.of(channel));
    }
  }
}
