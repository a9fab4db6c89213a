package io.github.avf4j.qemu.process;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class QemuProbeTest {
  @Test
  void refusesHostsWhoseGuestsItCannotRun() {
    assertThatThrownBy(() -> QemuProbe.requireHost("aarch64"))
        .isInstanceOf(QemuUnavailableException.class)
        .hasMessage(
            "it runs x86-64 guests only, and those of this host are for aarch64: use the backend kvm");
    assertThatCode(() -> QemuProbe.requireHost("amd64")).doesNotThrowAnyException();
  }
}
