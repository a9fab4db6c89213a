package io.github.avf4j.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.avf4j.HostReport;
import io.github.avf4j.HostReport.Suitability;
import io.github.avf4j.spi.HypervisorBackend;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ServiceLoader;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class KvmProbeTest {
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
}
