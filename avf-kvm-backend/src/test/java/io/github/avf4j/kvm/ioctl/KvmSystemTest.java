package io.github.avf4j.kvm.ioctl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.BackendUnavailableException;
import io.github.avf4j.HypervisorException;
import io.github.avf4j.linux.Errno;
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
  void saysWhatToDoWhenTheDeviceIsNotPermitted() {
    // Root may open everything, so that the words alone can be tested everywhere.
    assertThat(KvmSystem.openAdvice(Path.of("/dev/kvm"), Errno.EACCES))
        .startsWith("cannot open /dev/kvm: EACCES (13): add the user to the group");
  }

  @Test
  void saysWhatToDoWhenTheProcessorIsTaken() {
    assertThat(KvmSystem.openAdvice(Path.of("/dev/kvm"), Errno.EBUSY))
        .contains("EBUSY (16): stop the other hypervisor");
    assertThat(KvmSystem.vmRefused(Errno.EBUSY))
        .isInstanceOf(BackendUnavailableException.class)
        .hasMessageContaining("EBUSY (16): stop the other hypervisor");
    assertThat(KvmSystem.vmRefused(Errno.EIO))
        .isInstanceOf(BackendUnavailableException.class)
        .hasMessageContaining("EIO (5): switch virtualization on");
    assertThat(KvmSystem.vmRefused(Errno.ENOMEM))
        .isInstanceOfSatisfying(
            HypervisorException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ENOMEM));
  }

  @Test
  void refusesADeviceThatIsNoKvm() {
    assertThatThrownBy(() -> KvmSystem.open(Path.of("/dev/null")))
        .isInstanceOf(BackendUnavailableException.class)
        .hasMessageContaining("/dev/null does not speak KVM API version 12")
        .hasMessageContaining("ENOTTY (25)");
  }
}
