package io.github.avf4j.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.avf4j.StopReason;
import io.github.avf4j.kvm.ioctl.KvmSystem;
import io.github.avf4j.kvm.testing.GuestCode;
import io.github.avf4j.kvm.testing.RunningMachine;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tiny guests on the machine's own {@code /dev/kvm}. */
@Tag("kvm")
class KvmMachineTest {
  @TempDir Path folder;

  @BeforeEach
  void needsKvm() {
    try (KvmSystem system = KvmSystem.open()) {
      assumeTrue(system.vcpuMmapSize() > 0);
    } catch (RuntimeException e) {
      assumeTrue(false, "needs /dev/kvm: " + e.getMessage());
    }
  }

  @Test
  void printsAndPowersOffThroughTheSleepRegister() throws Exception {
    try (RunningMachine machine = elf(new GuestCode().print("hello").powerOff())) {
      machine.start();
      machine.awaitEntry();
      assertThat(machine.awaitStop()).isEqualTo(new StopReason.Shutdown());
      assertThat(machine.serial()).isEqualTo("hello");
    }
  }

  private RunningMachine elf(GuestCode code) throws Exception {
    Path kernel = Files.write(folder.resolve("kernel"), code.elf());
    return RunningMachine.create(spec -> spec.kernel(kernel));
  }
}
