package io.github.avf4j.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.avf4j.IllegalVmStateException;
import io.github.avf4j.StopReason;
import io.github.avf4j.VirtualMachine;
import io.github.avf4j.VirtualMachineManager;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ManyMachinesTest {
  private static final int MACHINES = 16;
  private static final int ROUNDS = 25;

  @TempDir Path folder;

  @Test
  void sixteenStoppedAtRandomMomentsLeaveNothing() throws Exception {
    Fixture fixture = new Fixture(folder);
    List<Recorder> recorders = new ArrayList<>();
    round(fixture, new SplittableRandom(0), recorders);
    long descriptors = descriptors();
    for (int i = 1; i <= ROUNDS; i++) {
      round(fixture, new SplittableRandom(i), recorders);
    }
    assertThat(fixture.backend.machines).allMatch(FakeMachine::isClosed);
    assertThat(recorders)
        .allSatisfy(
            recorder ->
                assertThat(recorder.events().stream().filter(event -> event.startsWith("stopped")))
                    .hasSize(1));
    assertThat(threads()).isEmpty();
    assertThat(descriptors()).isLessThanOrEqualTo(descriptors);
  }

  private static void round(Fixture fixture, SplittableRandom random, List<Recorder> recorders)
      throws Exception {
    try (VirtualMachineManager manager = fixture.open()) {
      List<VirtualMachine> machines = new ArrayList<>();
      List<CompletableFuture<Void>> lives = new ArrayList<>();
      for (int i = 0; i < MACHINES; i++) {
        VirtualMachine vm = manager.getOrCreate("vm" + i, fixture.config().build());
        machines.add(vm);
        Recorder recorder = new Recorder();
        recorders.add(recorder);
        vm.setCallback(Runnable::run, recorder);
        long pause = random.nextLong(3_000_000);
        lives.add(CompletableFuture.runAsync(vm::run));
        lives.add(CompletableFuture.runAsync(() -> stop(vm, pause)));
      }
      CompletableFuture.allOf(lives.toArray(CompletableFuture[]::new)).get(60, TimeUnit.SECONDS);
      for (VirtualMachine vm : machines) {
        assertThat(vm.awaitStopped(Duration.ofSeconds(30)))
            .get()
            .isInstanceOfAny(StopReason.Killed.class, StopReason.Shutdown.class);
      }
      for (Recorder recorder : recorders) {
        recorder.awaitStopped();
      }
    }
  }

  private static void stop(VirtualMachine vm, long pause) {
    LockSupport.parkNanos(pause);
    try {
      vm.stop();
    } catch (IllegalVmStateException e) {
      // It does not run yet, or not any more.
    }
  }

  /** The library's threads; those that are just ending get a moment. */
  private static List<String> threads() throws InterruptedException {
    List<String> names = List.of();
    for (int i = 0; i < 100; i++) {
      names =
          Thread.getAllStackTraces().keySet().stream()
              .map(Thread::getName)
              .filter(name -> name.startsWith("avf-") || name.startsWith("fake-"))
              .toList();
      if (names.isEmpty()) {
        break;
      }
      Thread.sleep(50);
    }
    return names;
  }

  private static long descriptors() throws IOException {
    Path list = Path.of("/proc/self/fd");
    assumeTrue(Files.isDirectory(list), list + " is not there");
    try (Stream<Path> open = Files.list(list)) {
      return open.count();
    }
  }
}
