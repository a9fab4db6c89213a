package io.github.avf4j.lab;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.avf4j.CustomImageConfig;
import io.github.avf4j.DataSize;
import io.github.avf4j.IllegalVmStateException;
import io.github.avf4j.StopReason;
import io.github.avf4j.VirtualMachine;
import io.github.avf4j.VirtualMachineConfig;
import io.github.avf4j.VirtualMachineManager;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Many tiny machines in one JVM, through the API. */
@Tag("kvm")
@Timeout(value = 600, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class TinyMachinesTest {
  private static final int AT_ONCE = 16;
  private static final int ROUNDS = Integer.getInteger("io.github.avf4j.test.rounds", 200);
  private static final int WARM_UP = 5;
  private static final Duration LIMIT = Duration.ofSeconds(60);
  private static final String TEMPORARY = "java.io.tmpdir";

  private final String sharedTemporary = System.getProperty(TEMPORARY);

  @TempDir Path folder;

  /** What this process and its folders hold. */
  private record Usage(
      long descriptors, long threads, long machineMappings, long mappings, List<Path> files) {
    static Usage now(Path folder) throws IOException {
      List<String> maps = Files.readAllLines(Path.of("/proc/self/maps"));
      return new Usage(
          list(Path.of("/proc/self/fd")).size(),
          Thread.getAllStackTraces().keySet().stream()
              .filter(thread -> thread.getName().startsWith("avf-"))
              .count(),
          maps.stream().filter(line -> line.matches(".*(kvm-vcpu|memfd:).*")).count(),
          maps.size(),
          walk(folder));
    }

    private static List<Path> list(Path folder) throws IOException {
      try (Stream<Path> files = Files.list(folder)) {
        return files.sorted().toList();
      }
    }

    private static List<Path> walk(Path folder) throws IOException {
      try (Stream<Path> files = Files.walk(folder)) {
        return files.sorted().toList();
      }
    }
  }

  @BeforeEach
  void setUp() throws IOException {
    TinyGuests.needKvm();
    // Its own: a folder that tests at the same time share has files of theirs now and then.
    System.setProperty(TEMPORARY, Files.createDirectory(folder.resolve("tmp")).toString());
  }

  @AfterEach
  void tearDown() {
    System.setProperty(TEMPORARY, sharedTemporary);
  }

  @Test
  void nothingIsLeftOfSixteenAtOnceStoppedAtRandomMoments() throws Exception {
    TinyGuests guests = new TinyGuests(folder);
    List<Path> kernels =
        List.of(guests.sleeps(), guests.printsForEver(), guests.powersOff("bye"), guests.resets());
    Path store = folder.resolve("store");
    ExecutorService pool = Executors.newFixedThreadPool(2 * AT_ONCE);
    try (VirtualMachineManager manager = VirtualMachineManager.open(store)) {
      List<VirtualMachine> machines = new ArrayList<>();
      for (int i = 0; i < AT_ONCE; i++) {
        machines.add(manager.create("tiny" + i, config(kernels.get(i % kernels.size()))));
      }
      for (int i = 1; i <= WARM_UP; i++) {
        round(machines, new Random(-i), pool); // classes are loaded and files opened
      }
      Usage before = Usage.now(folder);
      for (int i = 1; i <= ROUNDS; i++) {
        round(machines, new Random(i), pool);
      }
      Usage after = Usage.now(folder);
      assertThat(after.descriptors()).isEqualTo(before.descriptors());
      assertThat(after.threads()).isEqualTo(before.threads());
      assertThat(after.machineMappings()).isEqualTo(before.machineMappings());
      // The JVM maps memory of its own now and then: tens in all, where one in a round would leak.
      assertThat(after.mappings()).isLessThan(before.mappings() + ROUNDS);
      assertThat(after.files()).isEqualTo(before.files());
    } finally {
      pool.shutdownNow();
    }
  }

  private static VirtualMachineConfig config(Path kernel) {
    return VirtualMachineConfig.builder()
        .customImage(CustomImageConfig.builder().kernel(kernel).commandLine("").build())
        .memory(DataSize.ofMebibytes(2))
        .backend("kvm")
        .build();
  }

  private static void round(List<VirtualMachine> machines, Random random, ExecutorService pool)
      throws Exception {
    List<Future<?>> lives = new ArrayList<>();
    for (VirtualMachine vm : machines) {
      long pause = random.nextInt(8_000);
      lives.add(pool.submit(vm::run));
      lives.add(pool.submit(() -> stop(vm, pause)));
    }
    for (Future<?> life : lives) {
      life.get(LIMIT.toSeconds(), TimeUnit.SECONDS);
    }
    for (VirtualMachine vm : machines) {
      vm.close();
      assertThat(vm.awaitStopped(LIMIT).orElseThrow())
          .isInstanceOfAny(
              StopReason.Killed.class, StopReason.Shutdown.class, StopReason.Reboot.class);
    }
  }

  private static Void stop(VirtualMachine vm, long micros) throws InterruptedException {
    TimeUnit.MICROSECONDS.sleep(micros);
    try {
      vm.stop();
    } catch (IllegalVmStateException e) {
      // It does not run yet, or not any more.
    }
    return null;
  }
}
