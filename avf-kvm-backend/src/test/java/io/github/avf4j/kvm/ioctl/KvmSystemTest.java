package io.github.avf4j.kvm.ioctl;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.BackendUnavailableException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class KvmSystemTest {
  @Test
  void saysWhatToDoWhenTheDeviceIsMissing() {
    assertThatThrownBy(() -> KvmSystem.open(Path.of("/no/kvm")))
        .isInstanceOf(BackendUnavailableException.class)
        .hasMessageStartingWith("cannot open /no/kvm: ENOENT (2): load the module kvm_intel");
  }

  @Test
  void refusesADeviceThatIsNoKvm() {
    assertThatThrownBy(() -> KvmSystem.open(Path.of("/dev/null")))
        .isInstanceOf(BackendUnavailableException.class)
        .hasMessageContaining("/dev/null does not speak KVM API version 12")
        .hasMessageContaining("ENOTTY (25)");
  }
}
