package io.github.avf4j.kvm.boot.arm64;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class Arm64ProbeTest {
  @TempDir Path folder;

  @Test
  void probeGuestIsWhatTheAssemblerMakesOfItsSource() throws Exception {
    assumeTrue(
        Files.isExecutable(Path.of("/usr/bin/aarch64-linux-gnu-as")),
        "needs the GNU assembler for arm64");
    Path object = folder.resolve("probe.o");
    Path binary = folder.resolve("probe.bin");
    run("aarch64-linux-gnu-as", "src/test/asm/probe-arm64.s", "-o", object.toString());
    run("aarch64-linux-gnu-objcopy", "-O", "binary", object.toString(), binary.toString());
    byte[] expected = Arrays.copyOf(Arm64Probe.CODE, 0x200 + Arm64Probe.HANDLER.length);
    System.arraycopy(Arm64Probe.HANDLER, 0, expected, 0x200, Arm64Probe.HANDLER.length);
    assertThat(Files.readAllBytes(binary)).isEqualTo(expected);
  }

  private static void run(String... command) throws Exception {
    Process process = new ProcessBuilder(command).inheritIO().start();
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).isZero();
  }
}
