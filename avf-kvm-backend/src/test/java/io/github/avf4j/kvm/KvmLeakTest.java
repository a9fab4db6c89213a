package io.github.avf4j.kvm;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.avf4j.StopReason;
import io.github.avf4j.kvm.testing.GuestCode;
import io.github.avf4j.kvm.testing.NeedsKvm;
import io.github.avf4j.kvm.testing.RunningMachine;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Counts what is left of machines that were stopped at random moments. */
@Tag("kvm")
@ExtendWith(NeedsKvm.class)
class KvmLeakTest {
  private static final int ROUNDS = Integer.getInteger("io.github.avf4j.test.rounds", 200);
  private static final int AT_ONCE = 16;

  @TempDir Path folder;

  /** Descriptors, threads of machines, and mappings of this process. */
  private record Usage(long descriptors, long threads, long vcpuMappings, long mappings) {
    static Usage now() throws Exception {
      List<String> maps = Files.readAllLines(Path.of("/proc/self/maps"));
      try (var fds = Files.list(Path.of("/proc/self/fd"))) {
        return new Usage(
            fds.count(),
            Thread.getAllStackTraces().keySet().stream()
                .filter(t -> t.getName().startsWith("avf-"))
                .count(),
            maps.stream().filter(line -> line.contains("kvm-vcpu")).count(),
            maps.size());
      }
    }
  }

  @Test
  void nothingIsLeftOfSixteenMachinesAtOnceStoppedAtRandomMoments() throws Exception {
    Path[] kernels = {
      Files.write(folder.resolve("out"), new GuestCode().outForever(0x80).elf()),
      Files.write(folder.resolve("print"), new GuestCode().outForever(0x3F8).elf()),
      Files.write(folder.resolve("halt"), new GuestCode().halt().elf()),
      Files.write(folder.resolve("off"), new GuestCode().print("bye").powerOff().elf()),
    };
    runRounds(kernels, 1, 1); // classes are loaded and files opened
    Usage before = Usage.now();
    runRounds(kernels, ROUNDS, 2);
    Usage after = Usage.now();
    System.out.println("before " + before + ", after " + ROUNDS + " machines " + after);
    assertThat(after.descriptors()).isEqualTo(before.descriptors());
    assertThat(after.threads()).isEqualTo(before.threads());
    assertThat(after.vcpuMappings()).isZero();
    // The JVM maps memory of its own now and then.
    assertThat(after.mappings()).isLessThan(before.mappings() + 40);
  }

  private static void runRounds(Path[] kernels, int rounds, long seed) throws Exception {
    ExecutorService pool = Executors.newFixedThreadPool(AT_ONCE);
    try {
      List<Future<?>> machines = new ArrayList<>();
      for (int i = 0; i < Math.max(rounds, AT_ONCE); i++) {
        Random random = new Random(seed * 1000 + i);
        machines.add(
            pool.submit(
                () -> {
                  runOne(kernels[random.nextInt(kernels.length)], random);
                  return null;
                }));
      }
      for (Future<?> machine : machines) {
        machine.get(100, TimeUnit.SECONDS);
      }
    } finally {
      pool.shutdown();
      assertThat(pool.awaitTermination(60, TimeUnit.SECONDS)).isTrue();
    }
  }

  private static void runOne(Path kernel, Random random) throws Exception {
    int how = random.nextInt(5);
    try (RunningMachine machine = RunningMachine.create(spec -> spec.kernel(kernel))) {
      if (how == 0) {
        return; // never started
      }
      machine.start();
      TimeUnit.MICROSECONDS.sleep(random.nextInt(20_000));
      if (how == 1) {
        return; // closed while it runs
      }
      machine.machine().kill();
      assertThat(machine.awaitStop())
          .isInstanceOfAny(StopReason.Killed.class, StopReason.Shutdown.class);
      assertThat(machine.stops()).isEqualTo(1);
    }
  }
}
