package io.github.avf4j.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.DataSize;
import io.github.avf4j.InvalidImageException;
import io.github.avf4j.ProtectionLevel;
import io.github.avf4j.kvm.testing.Arm64Code;
import io.github.avf4j.kvm.testing.Held;
import io.github.avf4j.kvm.testing.NeedsArm64;
import io.github.avf4j.kvm.testing.RngDriver;
import io.github.avf4j.kvm.testing.Rounds;
import io.github.avf4j.kvm.testing.RunningMachine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Counts what is left of protected machines that ended at every stage of their lives. */
@Tag("pkvm")
@ExtendWith(NeedsArm64.class)
class ProtectedLeakTest {
  private static final int ROUNDS = Integer.getInteger("io.github.avf4j.test.rounds", 200);
  private static final int AT_ONCE = 4;
  private static final int MEBIBYTES = 8;
  private static final long SHARED = Arm64Code.RAM + 0x100000;

  @TempDir Path folder;

  /** What this process and the host hold; sizes in KiB. */
  private record Usage(
      long descriptors, long threads, long mappings, long locked, long pinned, long available) {
    static Usage now() throws IOException {
      return new Usage(
          Held.descriptors(),
          Held.threads(),
          Held.mappings("kvm-vcpu|memfd:avf-(ram|stage)"),
          kibibytes("/proc/self/status", "VmLck:"),
          kibibytes("/proc/self/status", "VmPin:"),
          kibibytes("/proc/meminfo", "MemAvailable:"));
    }

    private static long kibibytes(String file, String name) throws IOException {
      return Files.readAllLines(Path.of(file)).stream()
          .filter(line -> line.startsWith(name))
          .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
          .findFirst()
          .orElseThrow();
    }
  }

  @Test
  void nothingIsLeftOfMachinesThatEndedAtEveryStage() throws Exception {
    List<Path> kernels = kernels();
    Rounds rounds = new Rounds(AT_ONCE, 300);
    rounds.run(
        AT_ONCE, 1, random -> runOne(kernels, random)); // classes are loaded and files opened
    Usage before = Usage.now();
    rounds.run(ROUNDS, 2, random -> runOne(kernels, random));
    Usage after = Usage.now();
    System.out.println("before " + before + ", after " + ROUNDS + " machines " + after);
    assertThat(after.descriptors()).isEqualTo(before.descriptors());
    assertThat(after.threads()).isZero();
    assertThat(after.mappings()).isZero();
    assertThat(after.locked()).isEqualTo(before.locked());
    assertThat(after.pinned()).isEqualTo(before.pinned());
    // Every guest touches all its memory: if it did not come back, this would be the host's all.
    assertThat(after.available()).isGreaterThan(before.available() - ROUNDS * MEBIBYTES * 1024 / 8);
  }

  private List<Path> kernels() throws IOException {
    Arm64Code sharing = touchAll().share(SHARED);
    int loop = sharing.size();
    sharing.unshare(SHARED).share(SHARED).repeatFrom(loop);
    Arm64Code driving = touchAll().share(SHARED);
    RngDriver driver = RngDriver.at(SHARED);
    driver.start(driving).request(driving, SHARED + 0x800).awaitUsed(driving);
    return List.of(
        Files.write(folder.resolve("spin"), touchAll().spin().image()),
        Files.write(folder.resolve("off"), touchAll().powerOff().image()),
        Files.write(folder.resolve("share"), sharing.image()),
        Files.write(folder.resolve("drive"), driving.spin().image()));
  }

  /** Writes to every page but the first and those at the end, where the device tree is. */
  private static Arm64Code touchAll() {
    int pages = (MEBIBYTES - 2) * 256 - 1;
    Arm64Code code = new Arm64Code().set(11, 0).set(12, Arm64Code.RAM + 0x1000).set(13, pages);
    int loop = code.size();
    code.word(0xB9000000 | 12 << 5 | 11); // str w11, [x12]
    code.word(0x91400400 | 12 << 5 | 12); // add x12, x12, #0x1000
    code.word(0xD1000400 | 13 << 5 | 13); // sub x13, x13, #1
    return code.word(0xB5000000 | ((loop - code.size()) / 4 & 0x7FFFF) << 5 | 13); // cbnz
  }

  private void runOne(List<Path> kernels, Random random) throws Exception {
    int stage = random.nextInt(6);
    if (stage == 0) {
      assertThatThrownBy(() -> machine(folder.resolve("missing")))
          .isInstanceOf(InvalidImageException.class);
      return;
    }
    try (RunningMachine machine = machine(kernels.get(random.nextInt(kernels.size())))) {
      if (stage == 1) {
        return; // never started
      }
      machine.start();
      if (stage == 2) {
        machine.machine().kill(); // before it has entered, as a rule
      } else {
        machine.awaitEntry();
        TimeUnit.MICROSECONDS.sleep(random.nextInt(300_000));
      }
      if (stage == 3) {
        return; // closed while it runs
      }
      machine.killAndAwaitItsOnlyStop();
    }
  }

  private static RunningMachine machine(Path kernel) {
    return RunningMachine.create(
        spec ->
            spec.kernel(kernel)
                .memory(DataSize.ofMebibytes(MEBIBYTES))
                .protection(ProtectionLevel.HARDWARE));
  }
}
