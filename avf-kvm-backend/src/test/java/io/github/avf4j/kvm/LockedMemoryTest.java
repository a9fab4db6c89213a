package io.github.avf4j.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.avf4j.DataSize;
import io.github.avf4j.ProtectionLevel;
import io.github.avf4j.kvm.testing.Arm64Code;
import io.github.avf4j.kvm.testing.NeedsArm64;
import io.github.avf4j.kvm.testing.RunningMachine;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** A protected machine in a process that may not lock memory. */
@Tag("arm64")
@ExtendWith(NeedsArm64.class)
class LockedMemoryTest {
  private static final Path PERL = Path.of("/usr/bin/perl");

  // prctl (167 on arm64), PR_CAPBSET_DROP (24): CAP_IPC_LOCK (14) and CAP_SYS_RESOURCE (24).
  private static final String DROP =
      "foreach my $cap (14, 24) { syscall(167, 24, $cap, 0, 0, 0) == 0 or die $! } exec @ARGV";

  @TempDir Path folder;

  /** The process without rights: prints how the machine ended. */
  public static final class Child {
    private Child() {}

    /** Runs a machine from the kernel that is named. */
    public static void main(String[] arguments) throws Exception {
      try (RunningMachine machine =
          RunningMachine.create(
              spec ->
                  spec.kernel(Path.of(arguments[0]))
                      .memory(DataSize.ofMebibytes(4))
                      .protection(ProtectionLevel.HARDWARE))) {
        System.out.println(machine.start().awaitStop());
      }
    }
  }

  @Test
  void saysWhichLimitToRaise() throws Exception {
    assumeTrue(Files.isExecutable(PERL), "needs perl to drop capabilities");
    byte[] image = new Arm64Code().print("hello").powerOff().image();
    Path kernel = Files.write(folder.resolve("Image"), image);
    Path output = folder.resolve("output");
    Process child =
        new ProcessBuilder(
                "/bin/bash",
                "-c",
                "ulimit -l 0 && exec \"$@\"",
                "child",
                PERL.toString(),
                "-e",
                DROP,
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                Child.class.getName(),
                kernel.toString())
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    try {
      assertThat(child.waitFor(120, TimeUnit.SECONDS)).isTrue();
    } finally {
      child.destroyForcibly();
    }
    String said = Files.readString(output, StandardCharsets.UTF_8);
    assertThat(said)
        .contains("INFRASTRUCTURE_ERROR ioctl(KVM_RUN) of vCPU 0 failed: ENOMEM (12)")
        .contains("this process may lock 0 KiB: raise the limit of locked memory to 4096 KiB");
    assertThat(child.exitValue()).as(said).isZero();
  }
}
