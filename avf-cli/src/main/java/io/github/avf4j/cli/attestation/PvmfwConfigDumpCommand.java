package io.github.avf4j.cli.attestation;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.SecretBytes;
import io.github.avf4j.attestation.dice.DiceChainTree;
import io.github.avf4j.attestation.dice.DiceHandover;
import io.github.avf4j.attestation.pvmfw.DebugPolicy;
import io.github.avf4j.attestation.pvmfw.DeviceTrees;
import io.github.avf4j.attestation.pvmfw.PvmfwConfig;
import io.github.avf4j.attestation.pvmfw.PvmfwRevision;
import io.github.avf4j.attestation.pvmfw.ReservedMemory;
import io.github.avf4j.cli.internal.FileCommand;
import io.github.avf4j.cli.internal.InputFile;
import io.github.avf4j.cli.internal.Text;
import io.github.avf4j.cli.internal.ValueConverters;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code avf pvmfw-config dump}. */
@Command(
    name = "dump",
    description =
        "Shows the configuration data and takes its entries apart. Secrets are not shown.",
    mixinStandardHelpOptions = true)
final class PvmfwConfigDumpCommand extends FileCommand {
  /** The longest file that is read, in bytes. */
  static final int MAX_BYTES = 16 << 20;

  @Parameters(paramLabel = "FILE", description = "The configuration data, from its first byte on.")
  private Path file = Path.of("");

  @Option(
      names = "--revision",
      paramLabel = "REVISION",
      converter = ValueConverters.Revision.class,
      description = "Whose rules hold: 2025-01, 2025-03 (the default) or 2026.")
  private PvmfwRevision revision = PvmfwRevision.MARCH_2025;

  @Override
  protected void run() {
    byte[] bytes = InputFile.read(file, MAX_BYTES);
    try (PvmfwConfig config = PvmfwConfig.parse(bytes, 0, revision)) {
      out().println("version: 1." + config.minor());
      out().println("flags:   0x" + Integer.toHexString(config.flags()));
      config.warnings().forEach(warning -> out().println("warning: " + warning));
      for (PvmfwConfig.Entry entry : PvmfwConfig.Entry.values()) {
        Optional<SecretBytes> blob = config.blob(entry);
        out()
            .println(
                entry.name().toLowerCase(Locale.ROOT)
                    + ": "
                    + blob.map(content -> content.length() + " bytes").orElse("none"));
        blob.ifPresent(content -> show(entry, content));
      }
    } finally {
      Arrays.fill(bytes, (byte) 0);
    }
  }

  private void show(PvmfwConfig.Entry entry, SecretBytes blob) {
    switch (entry) {
      case DICE_HANDOVER -> handover(blob);
      case DEBUG_POLICY -> {
        DebugPolicy policy = DebugPolicy.ofOverlay(content(blob));
        line("log " + policy.log() + ", ramdump " + policy.ramdump() + ", adb " + policy.adb());
      }
      case VM_DTBO, VM_REFERENCE_DT -> line("a device tree of " + nodes(blob) + " nodes");
      case RESERVED_MEMORY -> {
        for (ReservedMemory memory : blob.use(ReservedMemory::parse)) {
          try (memory) {
            line(
                Text.printable(memory.vmName() + ", " + memory.compatible())
                    + ": "
                    + memory.content().length()
                    + " bytes"
                    + (memory.noMap() ? ", not mapped" : ""));
          }
        }
      }
    }
  }

  private void handover(SecretBytes blob) {
    try (DiceHandover handover = blob.use(DiceHandover::parse)) {
      handover
          .chain()
          .ifPresentOrElse(
              chain -> DiceChainTree.draw(chain).lines().forEach(this::line),
              () -> line("two secrets, no chain"));
    }
  }

  private static int nodes(SecretBytes blob) {
    return DeviceTrees.parse(content(blob)).nodes().size();
  }

  private static ByteSlice content(SecretBytes blob) {
    return ByteSlice.takeOver(blob.toByteArray());
  }

  private void line(String text) {
    out().println("  " + text);
  }
}
