package io.github.avf4j.qemu;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.avf4j.Cid;
import io.github.avf4j.CpuTopology;
import io.github.avf4j.DataSize;
import io.github.avf4j.HostReport;
import io.github.avf4j.spi.MachineSpec;
import java.nio.file.Path;

/** What tests with a real QEMU share. */
final class TestQemu {
  private TestQemu() {}

  /** Skips the test, with the reason, where QEMU cannot be used. */
  static void assumeUsable() {
    HostReport.Backend report = new QemuBackend().probe();
    assumeTrue(
        report.suitability() == HostReport.Suitability.FULL,
        () -> "skipped: " + report.reason() + ": " + report.advice());
  }

  /** Returns a small machine with {@code kernel}. */
  static MachineSpec.Builder spec(String name, Path kernel) {
    return MachineSpec.builder()
        .name(name)
        .cpuTopology(CpuTopology.oneCpu())
        .memory(DataSize.ofMebibytes(16))
        .kernel(kernel)
        .commandLine("")
        .cid(new Cid(42));
  }
}
