package io.github.avf4j.lab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.BackendUnavailableException;
import io.github.avf4j.CustomImageConfig;
import io.github.avf4j.HostReport;
import io.github.avf4j.ProtectionLevel;
import io.github.avf4j.VirtualMachineConfig;
import io.github.avf4j.VirtualMachineManager;
import io.github.avf4j.Virtualization;
import io.github.avf4j.kvm.testing.Arm64Code;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An arm64 host whose KVM is not the protected one. */
@Tag("arm64")
class OrdinaryHostTest {
  private static final String REASON = "its hypervisor does not run in protected mode";

  @TempDir Path folder;

  @Test
  void tellsWhatItLacksToProtectMachines() {
    HostReport report = Virtualization.probe();
    assertThat(report.protection())
        .filteredOn(HostReport.Protection::available)
        .extracting(HostReport.Protection::level)
        .containsExactly(ProtectionLevel.NONE, ProtectionLevel.SIMULATED);
    assertThat(report.protection())
        .filteredOn(protection -> protection.level() == ProtectionLevel.HARDWARE)
        .singleElement()
        .satisfies(
            hardware -> {
              assertThat(hardware.reason()).contains(REASON);
              assertThat(hardware.advice()).contains("kvm-arm.mode=protected");
            });
  }

  @Test
  void replacesProtectionByNothingLess() throws Exception {
    Path kernel = Files.write(folder.resolve("Image"), new Arm64Code().powerOff().image());
    VirtualMachineConfig config =
        VirtualMachineConfig.builder()
            .customImage(CustomImageConfig.builder().kernel(kernel).build())
            .protectionLevel(ProtectionLevel.HARDWARE)
            .build();
    try (VirtualMachineManager manager = VirtualMachineManager.open(folder.resolve("store"))) {
      assertThatThrownBy(() -> manager.create("secret", config))
          .isInstanceOf(BackendUnavailableException.class)
          .hasMessageContaining("protection level HARDWARE is not available: ")
          .hasMessageContaining(REASON)
          .hasMessageContaining("kvm-arm.mode=protected");
      assertThat(manager.names()).isEmpty();
    }
  }
}
