package io.github.avf4j.kvm;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.avf4j.CpuTopology;
import io.github.avf4j.DataSize;
import io.github.avf4j.ProtectionLevel;
import io.github.avf4j.StopReason;
import io.github.avf4j.StopReason.CrashKind;
import io.github.avf4j.kvm.testing.Arm64Code;
import io.github.avf4j.kvm.testing.NeedsArm64;
import io.github.avf4j.kvm.testing.RunningMachine;
import io.github.avf4j.spi.MachineSpec;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Tiny guests on an arm64 host's {@code /dev/kvm}, ordinary and protected. */
@Tag("pkvm")
@ExtendWith(NeedsArm64.class)
class Arm64MachineTest {
  @TempDir Path folder;

  @ParameterizedTest
  @EnumSource(ProtectionLevel.class)
  void printsAndPowersOffThroughPsci(ProtectionLevel level) throws Exception {
    try (RunningMachine machine = machine(level, new Arm64Code().print("hello").powerOff())) {
      machine.start();
      assertThat(machine.awaitStop()).isEqualTo(new StopReason.Shutdown());
      assertThat(machine.serial()).isEqualTo("hello");
      assertThat(machine.stops()).isEqualTo(1);
    }
  }

  @ParameterizedTest
  @EnumSource(ProtectionLevel.class)
  void resetsThroughPsci(ProtectionLevel level) throws Exception {
    Arm64Code code = new Arm64Code().psci(Arm64Code.SYSTEM_RESET);
    try (RunningMachine machine = machine(level, code)) {
      assertThat(machine.start().awaitStop()).isEqualTo(new StopReason.Reboot());
    }
  }

  @ParameterizedTest
  @EnumSource(ProtectionLevel.class)
  void startsASecondVcpuThroughPsci(ProtectionLevel level) throws Exception {
    Arm64Code code = new Arm64Code();
    code.startVcpu(1, Arm64Code.RAM + 0x400).halt();
    while (code.here() < Arm64Code.RAM + 0x400) {
      code.spin();
    }
    code.print("second").powerOff();
    try (RunningMachine machine =
        machine(level, code, spec -> spec.cpuTopology(CpuTopology.of(2)))) {
      assertThat(machine.start().awaitStop()).isEqualTo(new StopReason.Shutdown());
      assertThat(machine.serial()).isEqualTo("second");
    }
  }

  @Test
  void findsTheDeviceTreeInX0AndTheMagicOfTheFirstDevice() throws Exception {
    Arm64Code code = new Arm64Code();
    code.loadIntAt(11, 0).printInt(11).loadInt(11, 0x4000000).printInt(11);
    code.loadInt(11, 0x4000008).printInt(11).loadInt(11, 0x5000000).printInt(11).powerOff();
    try (RunningMachine machine = machine(ProtectionLevel.NONE, code)) {
      assertThat(machine.start().awaitStop()).isEqualTo(new StopReason.Shutdown());
      assertThat(machine.serial())
          .isEqualTo("\u00d0\r\u00fe\u00edvirt\u0013\0\0\0\u00ff\u00ff\u00ff\u00ff");
    }
  }

  @Test
  void tellsWhereAnInstructionWasThatDevicesCannotServe() throws Exception {
    Arm64Code code = new Arm64Code().loadPair(0x4000000).powerOff();
    try (RunningMachine machine = machine(ProtectionLevel.NONE, code)) {
      StopReason reason = machine.start().awaitStop();
      assertThat(reason).isInstanceOf(StopReason.Crash.class);
      StopReason.Crash crash = (StopReason.Crash) reason;
      assertThat(crash.kind()).isEqualTo(CrashKind.INTERNAL_ERROR);
      assertThat(crash.detail()).contains("0x4000000");
      assertThat(crash.cpu().orElseThrow().instructionPointer())
          .isBetween(Arm64Code.RAM + 64, code.here());
      assertThat(crash.toString()).contains("vcpu=0 pc=0x8").doesNotContain("rip");
    }
  }

  private RunningMachine machine(ProtectionLevel level, Arm64Code code) throws Exception {
    return machine(level, code, spec -> spec);
  }

  private RunningMachine machine(
      ProtectionLevel level, Arm64Code code, UnaryOperator<MachineSpec.Builder> change)
      throws Exception {
    Path kernel = Files.write(folder.resolve("Image"), code.image());
    return RunningMachine.create(
        spec ->
            change.apply(spec.kernel(kernel).memory(DataSize.ofMebibytes(4)).protection(level)));
  }
}
