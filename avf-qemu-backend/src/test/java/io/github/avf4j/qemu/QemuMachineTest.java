package io.github.avf4j.qemu;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.avf4j.StopReason;
import io.github.avf4j.spi.Machine;
import io.github.avf4j.spi.MachineSpec;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs guests of a few instructions in a real QEMU. */
@Tag("qemu")
class QemuMachineTest {
  private final QemuBackend backend = new QemuBackend();
  private final Recorder recorder = new Recorder();

  @TempDir Path folder;

  @BeforeAll
  static void needQemu() {
    TestQemu.assumeUsable();
  }

  private MachineSpec spec(TinyGuest guest) throws Exception {
    return TestQemu.spec("tiny", guest.writeTo(folder.resolve("kernel")))
        .serialOutput(recorder)
        .build();
  }

  private StopReason run(TinyGuest guest) throws Exception {
    try (Machine machine = backend.create(spec(guest), recorder)) {
      machine.start();
      recorder.awaitEntry();
      return recorder.awaitStop();
    }
  }

  @Test
  void tellsOfPowerOffAndTakesSerialOutput() throws Exception {
    assertThat(run(new TinyGuest().print("hello").powerOff())).isEqualTo(new StopReason.Shutdown());
    assertThat(recorder.output()).isEqualTo("hello");
  }

  @Test
  void tellsOfReset() throws Exception {
    assertThat(run(new TinyGuest().reset())).isEqualTo(new StopReason.Reboot());
  }

  @Test
  void tellsOfTripleFault() throws Exception {
    assertThat(run(new TinyGuest().withStack().tripleFault()))
        .isInstanceOfSatisfying(
            StopReason.Crash.class,
            c -> assertThat(c.kind()).isEqualTo(StopReason.CrashKind.TRIPLE_FAULT));
  }

  @Test
  void killsAGuestThatHangs() throws Exception {
    try (Machine machine = backend.create(spec(new TinyGuest().print("here").hang()), recorder)) {
      machine.start();
      recorder.awaitOutput("here");
      machine.kill();
      assertThat(recorder.awaitStop()).isEqualTo(new StopReason.Killed());
      machine.kill();
    }
    assertThat(recorder.stopsLeft()).isZero();
  }
}
