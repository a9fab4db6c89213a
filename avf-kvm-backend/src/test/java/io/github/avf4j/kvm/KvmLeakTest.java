package io.github.avf4j.kvm;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.avf4j.kvm.testing.GuestCode;
import io.github.avf4j.kvm.testing.Held;
import io.github.avf4j.kvm.testing.NeedsKvm;
import io.github.avf4j.kvm.testing.Rounds;
import io.github.avf4j.kvm.testing.RunningMachine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
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
    static Usage now() throws IOException {
      return new Usage(
          Held.descriptors(), Held.threads(), Held.mappings("kvm-vcpu"), Held.mappings().size());
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
    Rounds rounds = new Rounds(AT_ONCE, 100);
    rounds.run(
        AT_ONCE, 1, random -> runOne(kernels, random)); // classes are loaded and files opened
    Usage before = Usage.now();
    rounds.run(Math.max(ROUNDS, AT_ONCE), 2, random -> runOne(kernels, random));
    Usage after = Usage.now();
    System.out.println("before " + before + ", after " + ROUNDS + " machines " + after);
    assertThat(after.descriptors()).isEqualTo(before.descriptors());
    assertThat(after.threads()).isEqualTo(before.threads());
    assertThat(after.vcpuMappings()).isZero();
    // The JVM maps memory of its own now and then.
    assertThat(after.mappings()).isLessThan(before.mappings() + 40);
  }

  private static void runOne(Path[] kernels, Random random) throws Exception {
    Path kernel = kernels[random.nextInt(kernels.length)];
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
      machine.killAndAwaitItsOnlyStop();
    }
  }
}
