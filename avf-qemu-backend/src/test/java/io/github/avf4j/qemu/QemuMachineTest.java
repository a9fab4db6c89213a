package io.github.avf4j.qemu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.github.avf4j.DataSize;
import io.github.avf4j.InvalidImageException;
import io.github.avf4j.StopReason;
import io.github.avf4j.spi.ByteSink;
import io.github.avf4j.spi.DiskSpec;
import io.github.avf4j.spi.Machine;
import io.github.avf4j.spi.MachineListener;
import io.github.avf4j.spi.MachineSpec;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
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

  @Test
  void startsOnAThreadThatIsInterrupted() throws Exception {
    try (Machine machine = backend.create(spec(new TinyGuest().print("here").hang()), recorder)) {
      Thread.currentThread().interrupt();
      machine.start();
      assertThat(Thread.interrupted()).as("the interrupt is kept").isTrue();
      recorder.awaitOutput("here");
    }
  }

  @Test
  void refusesToBeClosedByItsListener() throws Exception {
    CompletableFuture<Machine> made = new CompletableFuture<>();
    CompletableFuture<Throwable> refused = new CompletableFuture<>();
    MachineListener closer =
        new MachineListener() {
          @Override
          public void entered(long nanoTime) {}

          @Override
          public void stopped(StopReason reason) {
            refused.complete(catchThrowable(() -> made.get(1, TimeUnit.MINUTES).close()));
          }
        };
    try (Machine machine = backend.create(spec(new TinyGuest().powerOff()), closer)) {
      made.complete(machine);
      machine.start();
      assertThat(refused.get(1, TimeUnit.MINUTES)).isInstanceOf(IllegalStateException.class);
    }
  }

  @Test
  void tellsThatQemuWasKilledByOthers() throws Exception {
    try (Machine machine = backend.create(spec(new TinyGuest().print("here").hang()), recorder)) {
      machine.start();
      recorder.awaitOutput("here");
      ProcessHandle qemu =
          ProcessHandle.current()
              .descendants()
              .filter(p -> p.info().command().orElse("").endsWith("qemu-system-x86_64"))
              .findFirst()
              .orElseThrow();
      qemu.destroyForcibly();
      assertThat(recorder.awaitStop())
          .isInstanceOfSatisfying(
              StopReason.InfrastructureError.class,
              e -> assertThat(e.detail()).contains("signal 9"));
    }
  }

  @Test
  void tellsOfAKillBeforeTheStartOnceItIsStarted() throws Exception {
    try (Machine machine = backend.create(spec(new TinyGuest().hang()), recorder)) {
      machine.kill();
      machine.start();
      assertThat(recorder.awaitStop()).isEqualTo(new StopReason.Killed());
    }
  }

  @Test
  void startsOnce() throws Exception {
    Machine machine = backend.create(spec(new TinyGuest().hang()), recorder);
    try (machine) {
      machine.start();
      assertThatThrownBy(machine::start).isInstanceOf(IllegalStateException.class);
    }
    assertThat(recorder.awaitStop()).isEqualTo(new StopReason.Killed());
    assertThatThrownBy(machine::start).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void tellsNothingOfAMachineThatWasNeverStarted() throws Exception {
    backend.create(spec(new TinyGuest().powerOff()), recorder).close();
    assertThat(recorder.stopsLeft()).isZero();
  }

  @Test
  void closesWhileItStarts() throws Exception {
    for (int i = 0; i < 5; i++) {
      Machine machine = backend.create(spec(new TinyGuest().print("x").hang()), recorder);
      CountDownLatch go = new CountDownLatch(1);
      Thread closer =
          new Thread(
              () -> {
                try {
                  go.await();
                } catch (InterruptedException e) {
                  return;
                }
                machine.close();
              });
      closer.start();
      go.countDown();
      try {
        machine.start();
        assertThat(recorder.awaitStop()).isEqualTo(new StopReason.Killed());
      } catch (IllegalStateException e) {
        // it was closed first
      }
      closer.join(TimeUnit.SECONDS.toMillis(Recorder.LIMIT_SECONDS));
      assertThat(closer.isAlive()).isFalse();
      machine.close();
    }
  }

  @Test
  void takesAFloodOfSerialOutputWithoutKeepingIt() throws Exception {
    CountDownLatch flooded = new CountDownLatch(100_000);
    ByteSink counting =
        (bytes, offset, length) -> {
          for (int i = 0; i < length; i++) {
            flooded.countDown();
          }
        };
    MachineSpec spec =
        TestQemu.spec("flood", new TinyGuest().printForEver('x').writeTo(folder.resolve("kernel")))
            .serialOutput(counting)
            .build();
    try (Machine machine = backend.create(spec, recorder)) {
      machine.start();
      assertThat(flooded.await(Recorder.LIMIT_SECONDS, TimeUnit.SECONDS)).isTrue();
      machine.kill();
      assertThat(recorder.awaitStop()).isEqualTo(new StopReason.Killed());
    }
  }

  @Test
  void survivesATakerOfOutputThatThrows() throws Exception {
    MachineSpec spec =
        TestQemu.spec(
                "thrower", new TinyGuest().print("xyz").powerOff().writeTo(folder.resolve("k")))
            .serialOutput(
                (bytes, offset, length) -> {
                  throw new IllegalStateException("a taker that throws on purpose");
                })
            .build();
    try (Machine machine = backend.create(spec, recorder)) {
      machine.start();
      assertThat(recorder.awaitStop()).isEqualTo(new StopReason.Shutdown());
    }
  }

  @Test
  void failsConsoleInputAfterTheEnd() throws Exception {
    try (Machine machine = backend.create(spec(new TinyGuest().powerOff()), recorder);
        OutputStream input = machine.consoleInput()) {
      machine.start();
      recorder.awaitStop();
      assertThatThrownBy(() -> input.write(new byte[64])).isInstanceOf(IOException.class);
    }
  }

  @Test
  void runsInTheLeastAndInMuchMemory() throws Exception {
    for (long mebibytes : new long[] {2, 5000}) {
      MachineSpec spec =
          TestQemu.spec("memory", new TinyGuest().powerOff().writeTo(folder.resolve("kernel")))
              .memory(DataSize.ofMebibytes(mebibytes))
              .build();
      try (Machine machine = backend.create(spec, recorder)) {
        machine.start();
        assertThat(recorder.awaitStop()).isEqualTo(new StopReason.Shutdown());
      }
    }
  }

  @Test
  void takesPathsAndSerialsWithEveryCharacter() throws Exception {
    Path odd = Files.createDirectory(folder.resolve("a,b=c \"d\" 'e' é"));
    Path disk = Files.write(odd.resolve("disk,readonly=on"), new byte[512]);
    MachineSpec spec =
        TestQemu.spec("odd", new TinyGuest().powerOff().writeTo(odd.resolve("kernel,x")))
            .addDisk(new DiskSpec(disk, false, "a,b=\"c\""))
            .build();
    try (Machine machine = backend.create(spec, recorder)) {
      machine.start();
      assertThat(recorder.awaitStop()).isEqualTo(new StopReason.Shutdown());
    }
  }

  @Test
  void refusesADiskThatAnotherMachineWrites() throws Exception {
    Path disk = Files.write(folder.resolve("disk"), new byte[1024]);
    Path kernel = new TinyGuest().hang().writeTo(folder.resolve("kernel"));
    MachineSpec spec =
        TestQemu.spec("writer", kernel).addDisk(new DiskSpec(disk, false, "d")).build();
    try (Machine machine = backend.create(spec, recorder)) {
      assertThatThrownBy(() -> backend.create(spec, recorder))
          .isInstanceOf(InvalidImageException.class)
          .hasMessageContaining("lock");
      machine.start();
    }
  }

  @Test
  void refusesDisksThatCannotBeUsed() throws Exception {
    Path kernel = new TinyGuest().hang().writeTo(folder.resolve("kernel"));
    Path[] wrongs = {
      folder.resolve("missing"),
      folder,
      Files.write(folder.resolve("empty"), new byte[0]),
      Files.write(folder.resolve("odd"), new byte[513])
    };
    for (Path wrong : wrongs) {
      MachineSpec spec =
          TestQemu.spec("bad", kernel).addDisk(new DiskSpec(wrong, true, "")).build();
      assertThatThrownBy(() -> backend.create(spec, recorder))
          .isInstanceOf(InvalidImageException.class)
          .hasMessageContaining(wrong.toString());
    }
  }

  @Test
  void refusesAKernelWithoutPvhEntry() throws Exception {
    Path kernel = new TinyGuest().hang().writeWithoutPvhTo(folder.resolve("kernel"));
    assertThatThrownBy(() -> backend.create(TestQemu.spec("bad", kernel).build(), recorder))
        .isInstanceOf(InvalidImageException.class)
        .hasMessageContaining("PVH");
  }

  @Test
  void refusesAnInitrdThatDoesNotFitIntoMemory() throws Exception {
    Path kernel = new TinyGuest().hang().writeTo(folder.resolve("kernel"));
    Path initrd = Files.write(folder.resolve("initrd"), new byte[20 << 20]);
    MachineSpec spec = TestQemu.spec("bad", kernel).initrd(initrd).build();
    assertThatThrownBy(() -> backend.create(spec, recorder))
        .isInstanceOf(InvalidImageException.class)
        .hasMessageContaining("initrd");
  }

  @Test
  void leavesNothingBehind() throws Exception {
    run(new TinyGuest().powerOff()); // what is made once is made now
    long descriptors = openFiles();
    // Its own: tests at the same time make and delete files in the other.
    Path temporary = Files.createDirectory(folder.resolve("tmp"));
    String shared = System.setProperty("java.io.tmpdir", temporary.toString());
    try {
      for (int i = 0; i < 8; i++) {
        run(i % 2 == 0 ? new TinyGuest().powerOff() : new TinyGuest().reset());
        backend.create(spec(new TinyGuest().hang()), recorder).close();
        refusesAnInitrdThatDoesNotFitIntoMemory();
      }
    } finally {
      System.setProperty("java.io.tmpdir", shared);
    }
    assertThat(ProcessHandle.current().descendants()).isEmpty();
    assertThat(Thread.getAllStackTraces().keySet())
        .extracting(Thread::getName)
        .noneMatch(name -> name.matches("avf-(tiny|bad|qemu)-.*"));
    assertThat(temporary).isEmptyDirectory();
    assertThat(openFiles()).isLessThanOrEqualTo(descriptors);
  }

  private static long openFiles() throws IOException {
    try (Stream<Path> files = Files.list(Path.of("/proc/self/fd"))) {
      return files.count();
    }
  }
}
