package io.github.avf4j.kvm.boot.x86;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.BackendUnavailableException;
import io.github.avf4j.Cid;
import io.github.avf4j.CpuTopology;
import io.github.avf4j.DataSize;
import io.github.avf4j.ProtectionLevel;
import io.github.avf4j.spi.MachineSpec;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class X86PlatformTest {
  private static MachineSpec.Builder spec() {
    return MachineSpec.builder()
        .name("a")
        .cid(new Cid(3))
        .cpuTopology(CpuTopology.oneCpu())
        .memory(DataSize.ofMebibytes(2))
        .kernel(Path.of("k"))
        .commandLine("");
  }

  @Test
  void refusesProtectionAndFirmware() {
    for (MachineSpec spec :
        new MachineSpec[] {
          spec().protection(ProtectionLevel.HARDWARE).build(),
          spec().protection(ProtectionLevel.SIMULATED).build(),
          spec().firmware(Path.of("f")).build()
        }) {
      assertThatThrownBy(() -> new X86Platform().board(spec))
          .isInstanceOf(BackendUnavailableException.class)
          .hasMessageContaining("use an arm64 host");
    }
  }
}
