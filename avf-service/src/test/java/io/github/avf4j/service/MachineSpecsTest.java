package io.github.avf4j.service;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.avf4j.DebugLevel;
import io.github.avf4j.microdroid.GuestArchitecture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class MachineSpecsTest {
  @ParameterizedTest
  @EnumSource
  void everyGuestHasItsConsoleAndResetsOnPanic(GuestArchitecture architecture) {
    assertThat(MachineSpecs.commandLine(architecture, DebugLevel.NONE))
        .startsWith("console=ttyS0 panic=-1 ")
        .endsWith(" quiet loglevel=4");
    assertThat(MachineSpecs.commandLine(architecture, DebugLevel.FULL)).doesNotContain("quiet");
  }

  @Test
  void onlyAnX86GuestHearsOfItsKeyboardController() {
    assertThat(MachineSpecs.commandLine(GuestArchitecture.X86_64, DebugLevel.NONE))
        .contains(" reboot=k ", " pci=off i8042.noaux");
    assertThat(MachineSpecs.commandLine(GuestArchitecture.AARCH64, DebugLevel.NONE))
        .doesNotContain("reboot=", "pci=", "i8042");
  }

  @Test
  void aKernelOfTheUsersOwnHearsOfItsConsoleAndOfResetsOnly() {
    assertThat(MachineSpecs.commandLine(GuestArchitecture.X86_64))
        .isEqualTo("console=ttyS0 panic=-1 reboot=k");
    assertThat(MachineSpecs.commandLine(GuestArchitecture.AARCH64))
        .isEqualTo("console=ttyS0 panic=-1");
  }
}
