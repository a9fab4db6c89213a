package io.github.avf4j.kvm.boot.x86;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.BackendUnavailableException;
import io.github.avf4j.ProtectionLevel;
import io.github.avf4j.kvm.testing.RunningMachine;
import io.github.avf4j.spi.MachineSpec;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class X86PlatformTest {
  private static MachineSpec.Builder spec() {
    return RunningMachine.spec().kernel(Path.of("k"));
  }

  @Test
  void refusesProtectionAndFirmware() {
    for (ProtectionLevel level :
        new ProtectionLevel[] {ProtectionLevel.HARDWARE, ProtectionLevel.SIMULATED}) {
      assertThatThrownBy(() -> new X86Platform().board(spec().protection(level).build()))
          .isInstanceOf(BackendUnavailableException.class)
          .hasMessageContaining("arm64 host");
    }
    assertThatThrownBy(() -> new X86Platform().board(spec().firmware(Path.of("f")).build()))
        .isInstanceOf(BackendUnavailableException.class)
        .hasMessageContaining("leave the firmware out");
  }
}
