package io.github.avf4j.cli;

import io.github.avf4j.CpuTopology;
import io.github.avf4j.DataSize;
import io.github.avf4j.VirtualMachineConfig;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What every machine has, whatever runs in it. */
final class MachineOptions {
  @Option(
      names = "--memory",
      paramLabel = "SIZE",
      converter = Converters.Size.class,
      defaultValue = "256M",
      description = "The guest's memory (${DEFAULT-VALUE}).")
  private DataSize memory = DataSize.ofMebibytes(256);

  @Option(
      names = "--cpus",
      paramLabel = "N",
      defaultValue = "1",
      description = "The number of vCPUs (${DEFAULT-VALUE}).")
  private int cpus = 1;

  @Option(
      names = "--backend",
      paramLabel = "NAME",
      description = "kvm or qemu; chosen by a probe otherwise.")
  private @Nullable String backend;

  @Option(
      names = "--timeout",
      paramLabel = "TIME",
      converter = Converters.Time.class,
      description = "How long the guest may run, such as 500ms, 60s or 5m; no limit otherwise.")
  private @Nullable Duration timeout;

  /** Returns a new configuration with all but the time. */
  VirtualMachineConfig.Builder config() {
    return VirtualMachineConfig.builder()
        .memory(memory)
        .cpuTopology(CpuTopology.of(cpus))
        .backend(Optional.ofNullable(backend));
  }

  @Nullable Duration timeout() {
    return timeout;
  }
}
