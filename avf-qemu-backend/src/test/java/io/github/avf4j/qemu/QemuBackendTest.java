package io.github.avf4j.qemu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.BackendUnavailableException;
import io.github.avf4j.HostReport;
import io.github.avf4j.spi.HypervisorBackend;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ServiceLoader;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class QemuBackendTest {
  private static final String PROPERTY = "avf.qemu.binary";

  private final QemuBackend backend = new QemuBackend();

  @TempDir Path folder;

  @AfterEach
  void forgetProperty() {
    System.clearProperty(PROPERTY);
  }

  private HostReport.Backend probe(String script) throws Exception {
    Path binary = Files.writeString(folder.resolve("qemu"), "#!/bin/sh\n" + script);
    Files.setPosixFilePermissions(binary, PosixFilePermissions.fromString("rwx------"));
    System.setProperty(PROPERTY, binary.toString());
    return backend.probe();
  }

  @Test
  void isFoundAsAService() {
    assertThat(ServiceLoader.load(HypervisorBackend.class))
        .anySatisfy(
            found -> {
              assertThat(found).isInstanceOf(QemuBackend.class);
              assertThat(found.name()).isEqualTo("qemu");
              assertThat(found.priority()).isEqualTo(10);
            });
  }

  @Test
  void tellsThatThereIsNoSuchFile() {
    System.setProperty(PROPERTY, folder.resolve("missing").toString());
    HostReport.Backend report = backend.probe();
    assertThat(report.suitability()).isEqualTo(HostReport.Suitability.NONE);
    assertThat(report.reason()).contains("missing");
    assertThat(report.advice()).contains(PROPERTY);
    assertThatThrownBy(
            () -> backend.create(TestQemu.spec("x", folder.resolve("k")).build(), new Recorder()))
        .isInstanceOf(BackendUnavailableException.class)
        .hasMessageContaining("missing")
        .hasMessageContaining(PROPERTY);
  }

  @Test
  void refusesAnOldVersion() throws Exception {
    HostReport.Backend report = probe("echo 'QEMU emulator version 6.2.0 (Debian 1:6.2)'\n");
    assertThat(report.suitability()).isEqualTo(HostReport.Suitability.NONE);
    assertThat(report.reason()).contains("6.2.0").contains("older than 7.0");
  }

  @Test
  void refusesWhatIsNoQemu() throws Exception {
    HostReport.Backend report = probe("head -c 10000000 /dev/zero\n");
    assertThat(report.suitability()).isEqualTo(HostReport.Suitability.NONE);
    assertThat(report.reason()).contains("does not tell a QEMU version");
  }

  @Test
  void tellsWhatAQemuSaysThatEndsAtOnce() throws Exception {
    HostReport.Backend report =
        probe(
            "case $1 in --version) echo 'QEMU emulator version 8.1.0';;\n"
                + "*) echo 'qemu: unsupported machine type' >&2; exit 1;; esac\n");
    assertThat(report.suitability()).isEqualTo(HostReport.Suitability.NONE);
    assertThat(report.reason()).contains("exit status 1").contains("unsupported machine type");
    assertThat(report.advice()).contains("install the package qemu-system-x86");
  }

  @Test
  @Tag("qemu")
  void tellsVersionPathAndClockOfAGoodQemu() {
    TestQemu.assumeUsable();
    HostReport.Backend report = backend.probe();
    assertThat(report.details()).containsKeys("version", "path", "tscKhz");
    assertThat(Long.parseLong(report.details().get("tscKhz"))).isBetween(10_000L, 10_000_000L);
  }
}
