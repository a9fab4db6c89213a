package io.github.avf4j.kvm.boot.x86;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class X86ProbeTest {
  @TempDir Path folder;

  @Test
  void probeGuestIsWhatTheAssemblerMakesOfItsSource() throws Exception {
    Path source = Path.of("src/test/asm/probe.s");
    Path object = folder.resolve("probe.o");
    Path binary = folder.resolve("probe.bin");
    assumeTrue(
        Files.isExecutable(Path.of("/usr/bin/as")) && Files.isExecutable(Path.of("/usr/bin/ld")),
        "needs the GNU assembler and linker");
    run("as", "--64", source.toString(), "-o", object.toString());
    run("ld", "-Ttext=0x100000", "--oformat=binary", object.toString(), "-o", binary.toString());
    assertThat(Files.readAllBytes(binary)).isEqualTo(X86Probe.CODE);
  }

  private static void run(String... command) throws Exception {
    Process process = new ProcessBuilder(command).inheritIO().start();
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).isZero();
  }
}
