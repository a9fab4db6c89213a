package io.github.avf4j.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.avf4j.HostReport;
import io.github.avf4j.HostReport.Suitability;
import io.github.avf4j.spi.HypervisorBackend;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ServiceLoader;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KvmProbeTest {
  @TempDir Path folder;

  @Test
  void isFoundAsAServiceAndAlwaysHasAnAnswer() {
    HypervisorBackend backend =
        ServiceLoader.load(HypervisorBackend.class).stream()
            .map(ServiceLoader.Provider::get)
            .filter(found -> found.name().equals("kvm"))
            .findFirst()
            .orElseThrow();
    HostReport.Backend report = backend.probe();
    System.out.println(report);
    assertThat(report.reason()).isNotBlank();
    assertThat(report.advice().isEmpty()).isEqualTo(report.suitability() == Suitability.FULL);
  }

  @Test
  @Tag("kvm")
  void tellsSoftwareFromHardware() {
    HostReport.Backend report = KvmProbe.run();
    assumeTrue(report.suitability() != Suitability.NONE, report.reason());
    boolean software = Files.exists(Path.of("/sys/module/kvm_pvm"));
    assertThat(report.suitability()).isEqualTo(software ? Suitability.LIMITED : Suitability.FULL);
    assertThat(report.details()).containsKeys("device", "api", "probe guest");
  }

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
    assertThat(Files.readAllBytes(binary)).isEqualTo(ProbeGuest.CODE);
  }

  private static void run(String... command) throws Exception {
    Process process = new ProcessBuilder(command).inheritIO().start();
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).isZero();
  }
}
