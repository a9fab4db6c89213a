package io.github.avf4j.cli.attestation;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.avb.AvbPublicKey;
import io.github.avf4j.attestation.pvmfw.Capability;
import io.github.avf4j.attestation.pvmfw.PayloadVerifier;
import io.github.avf4j.attestation.pvmfw.PvmfwRevision;
import io.github.avf4j.attestation.pvmfw.RollbackDecision;
import io.github.avf4j.attestation.pvmfw.RollbackRules;
import io.github.avf4j.attestation.pvmfw.VerifiedPayload;
import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.cli.internal.FileCommand;
import io.github.avf4j.cli.internal.InputFile;
import io.github.avf4j.cli.internal.KeyFiles;
import io.github.avf4j.cli.internal.Text;
import io.github.avf4j.cli.internal.ValueConverters;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code avf pvmfw}. */
@Command(
    name = "pvmfw",
    description = "Does what the firmware of protected machines does.",
    mixinStandardHelpOptions = true,
    subcommands = PvmfwCommand.Verify.class)
public final class PvmfwCommand {
  PvmfwCommand() {}

  /** {@code avf pvmfw verify}. */
  @Command(
      name = "verify",
      description = "Verifies a signed kernel and its ramdisk as the firmware would before a boot.",
      mixinStandardHelpOptions = true,
      sortOptions = false)
  static final class Verify extends FileCommand {
    @Option(
        names = "--kernel",
        required = true,
        paramLabel = "FILE",
        description = "The kernel with vbmeta image and footer.")
    private Path kernel = Path.of("");

    @Option(names = "--initrd", paramLabel = "FILE", description = "The ramdisk.")
    private @Nullable Path initrd;

    @Option(
        names = "--key",
        required = true,
        paramLabel = "FILE",
        description = "The key that is trusted, in PEM or as a blob.")
    private Path key = Path.of("");

    @Option(
        names = "--rollback-index",
        paramLabel = "N",
        converter = ValueConverters.Unsigned.class,
        description =
            "Applies the rollback rule too: the index that a service VM must have; a guest that"
                + " protects itself needs one above 0.")
    private @Nullable Long rollbackIndex;

    @Option(
        names = "--revision",
        paramLabel = "REVISION",
        converter = ValueConverters.Revision.class,
        description = "Whose rules hold: 2025-01, 2025-03 (the default) or 2026.")
    private PvmfwRevision revision = PvmfwRevision.MARCH_2025;

    @Override
    protected void run() throws IOException {
      Path ramdisk = initrd;
      AvbPublicKey trusted = KeyFiles.publicKey(key);
      try (FileChannel kernelFile = InputFile.open(kernel)) {
        ImageSource image = ImageSource.of(kernelFile);
        if (ramdisk == null) {
          verify(trusted, image, null);
          return;
        }
        try (FileChannel initrdFile = InputFile.open(ramdisk)) {
          verify(trusted, image, ImageSource.of(initrdFile));
        }
      }
    }

    private void verify(AvbPublicKey trusted, ImageSource image, @Nullable ImageSource ramdisk) {
      VerifiedPayload payload =
          new PayloadVerifier(List.of(trusted), revision).verify(image, ramdisk);
      String rollback = "";
      if (rollbackIndex != null) {
        rollback =
            " " + RollbackDecision.modeOf(revision, payload, true, RollbackRules.of(rollbackIndex));
      }
      out().println("kernel digest:  " + payload.kernelDigest().toHex());
      payload
          .initrdDigest()
          .map(ByteSlice::toHex)
          .ifPresent(digest -> out().println("ramdisk digest: " + digest));
      out().println("debuggable:     " + (payload.debuggable() ? "yes" : "no"));
      out()
          .println(
              "capabilities:   "
                  + payload.capabilities().stream()
                      .map(Capability::text)
                      .sorted()
                      .collect(Collectors.joining(" ")));
      out().println("rollback index: " + Long.toUnsignedString(payload.rollbackIndex()) + rollback);
      payload.pageSize().ifPresent(size -> out().println("page size:      " + size));
      payload.name().ifPresent(name -> out().println("name:           " + Text.printable(name)));
      out().println("valid");
    }
  }
}
