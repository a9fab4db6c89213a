package io.github.avf4j.cli.attestation;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.SecretBytes;
import io.github.avf4j.attestation.dice.DiceHandover;
import io.github.avf4j.attestation.pvmfw.DebugPolicy;
import io.github.avf4j.attestation.pvmfw.DeviceTrees;
import io.github.avf4j.attestation.pvmfw.PvmfwConfig;
import io.github.avf4j.attestation.pvmfw.ReservedMemory;
import io.github.avf4j.cli.internal.FileCommand;
import io.github.avf4j.cli.internal.InputFile;
import io.github.avf4j.cli.internal.OutputFile;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code avf pvmfw-config make}. */
@Command(
    name = "make",
    description = "Makes configuration data. The file holds secrets: only its owner may read it.",
    mixinStandardHelpOptions = true,
    sortOptions = false)
final class PvmfwConfigMakeCommand extends FileCommand {
  @Option(names = "--output", required = true, paramLabel = "FILE", description = "The result.")
  private Path output = Path.of("");

  @Option(
      names = "--dice-handover",
      required = true,
      paramLabel = "FILE",
      description = "The DICE handover.")
  private Path handover = Path.of("");

  @Option(names = "--debug-policy", paramLabel = "FILE", description = "A device tree overlay.")
  private @Nullable Path debugPolicy;

  @Option(names = "--vm-dtbo", paramLabel = "FILE", description = "For device assignment.")
  private @Nullable Path vmDtbo;

  @Option(names = "--vm-reference-dt", paramLabel = "FILE", description = "A device tree.")
  private @Nullable Path vmReferenceDt;

  @Option(names = "--reserved-memory", paramLabel = "FILE", description = "Memory contents.")
  private @Nullable Path reservedMemory;

  @Option(
      names = "--minor",
      paramLabel = "N",
      description = "The minor version, 0 to 3; the least that has all entries otherwise.")
  private @Nullable Integer minor;

  @Override
  protected void run() {
    Map<PvmfwConfig.Entry, @Nullable Path> files = new EnumMap<>(PvmfwConfig.Entry.class);
    files.put(PvmfwConfig.Entry.DEBUG_POLICY, debugPolicy);
    files.put(PvmfwConfig.Entry.VM_DTBO, vmDtbo);
    files.put(PvmfwConfig.Entry.VM_REFERENCE_DT, vmReferenceDt);
    files.put(PvmfwConfig.Entry.RESERVED_MEMORY, reservedMemory);
    byte[] secrets = InputFile.read(handover, PvmfwConfigDumpCommand.MAX_BYTES);
    PvmfwConfig config;
    try {
      check(PvmfwConfig.Entry.DICE_HANDOVER, secrets);
      config = PvmfwConfig.of(secrets);
    } finally {
      Arrays.fill(secrets, (byte) 0);
    }
    for (Map.Entry<PvmfwConfig.Entry, @Nullable Path> file : files.entrySet()) {
      Path path = file.getValue();
      if (path != null) {
        byte[] blob = InputFile.read(path, PvmfwConfigDumpCommand.MAX_BYTES);
        try (PvmfwConfig before = config) {
          check(file.getKey(), blob);
          config = before.with(file.getKey(), blob);
        } finally {
          Arrays.fill(blob, (byte) 0);
        }
      }
    }
    try (PvmfwConfig whole = withMinor(config);
        SecretBytes encoded = whole.encode()) {
      encoded.use(
          bytes -> {
            OutputFile.writeSecret(output, bytes);
            return bytes.length;
          });
    }
  }

  /** Refuses what the firmware could not read. */
  private static void check(PvmfwConfig.Entry entry, byte[] blob) {
    switch (entry) {
      case DICE_HANDOVER -> DiceHandover.parse(blob).close();
      case DEBUG_POLICY -> DebugPolicy.ofOverlay(ByteSlice.copyOf(blob));
      case VM_DTBO, VM_REFERENCE_DT -> DeviceTrees.parse(ByteSlice.copyOf(blob));
      case RESERVED_MEMORY -> ReservedMemory.parse(blob).forEach(ReservedMemory::close);
    }
  }

  private PvmfwConfig withMinor(PvmfwConfig config) {
    if (minor == null) {
      return config;
    }
    try (config) {
      return config.withMinor(minor);
    } catch (IllegalArgumentException e) {
      throw usage(String.valueOf(e.getMessage()));
    }
  }
}
