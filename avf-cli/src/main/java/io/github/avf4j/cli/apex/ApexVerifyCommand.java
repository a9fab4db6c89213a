package io.github.avf4j.cli.apex;

import io.github.avf4j.attestation.avb.AvbPublicKey;
import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.cli.ProgressBar;
import io.github.avf4j.cli.internal.FileCommand;
import io.github.avf4j.cli.internal.InputFile;
import io.github.avf4j.cli.internal.KeyFiles;
import io.github.avf4j.cli.internal.RefusedException;
import io.github.avf4j.cli.internal.Table;
import io.github.avf4j.cli.internal.WatchedSource;
import io.github.avf4j.microdroid.apex.ApexVerifier;
import io.github.avf4j.microdroid.apex.VerifiedApex;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code avf apex verify}. */
@Command(
    name = "verify",
    description = {
      "Verifies an APEX: zip, manifest, the signature of the payload by the key in the APEX, the",
      "payload against its hash tree, and the outer signature where there is one."
    },
    footer = {
      "",
      "Without --key nothing says that the key is trusted: compare its hash with the one you expect."
    },
    mixinStandardHelpOptions = true,
    sortOptions = false)
final class ApexVerifyCommand extends FileCommand {
  @Parameters(paramLabel = "FILE", description = "The APEX.")
  private Path file = Path.of("");

  @Option(names = "--require-outer", description = "Refuses an APEX without outer signature.")
  private boolean requireOuter;

  @Option(
      names = "--key",
      paramLabel = "FILE",
      description =
          "The key that must have signed the payload, in PEM or as a blob; any otherwise.")
  private @Nullable Path key;

  @Override
  protected void run() throws IOException {
    AvbPublicKey trusted = key == null ? null : KeyFiles.publicKey(key);
    VerifiedApex apex;
    try (FileChannel channel = InputFile.open(file);
        ProgressBar bar = bar("verifying")) {
      apex = ApexVerifier.verify(new WatchedSource(ImageSource.of(channel), bar), requireOuter);
    }
    if (trusted != null && !trusted.equals(apex.publicKey())) {
      throw new RefusedException("the payload is signed by another key: " + apex.publicKey());
    }
    print(apex, out());
    out().println("valid");
  }

  static void print(VerifiedApex apex, PrintWriter out) {
    Table table = ApexTable.of(apex.manifest());
    ApexTable.key(table, apex.publicKey());
    ApexTable.payload(
        table, apex.fileSystem(), apex.payloadOffset(), apex.payloadSize(), apex.hashtree());
    apex.outer()
        .ifPresent(
            outer -> {
              table.row("outer package", outer.manifest().packageName());
              table.row("outer version", Long.toUnsignedString(outer.manifest().versionCode()));
              table.row("outer certificate", "sha512:" + outer.certificateHash().toHex());
            });
    apex.remarks().forEach(remark -> table.row("remark", remark));
    table.print(out);
  }
}
