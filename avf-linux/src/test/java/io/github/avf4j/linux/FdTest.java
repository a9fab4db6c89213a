package io.github.avf4j.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.avf4j.HypervisorException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class FdTest {
  @Test
  void namesTheCallAndTheErrorNumber() {
    assertThatThrownBy(() -> Fd.openReadOnly(Path.of("/no/such/file")))
        .isInstanceOfSatisfying(
            HypervisorException.class,
            e -> {
              assertThat(e.errno()).isEqualTo(Errno.ENOENT);
              assertThat(e.call()).isEqualTo("open(/no/such/file)");
            })
        .hasMessage("open(/no/such/file) failed: ENOENT (2): check that the path exists");
  }

  @Test
  void closesOnce() {
    Fd fd = Fd.openReadOnly(Path.of("/dev/null"));
    int number = fd.number();
    fd.close();
    try (Fd reused = Fd.openReadOnly(Path.of("/dev/null"))) {
      fd.close();
      assumeTrue(reused.number() == number, "the JVM has taken the number meanwhile");
      assertThat(LibC.fcntl(reused.number(), 1, 0)).as("F_GETFD").isEqualTo(1);
    }
    assertThatThrownBy(fd::number).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void ioctlReturnsTheNegatedErrorNumber() {
    try (Fd fd = Fd.openReadOnly(Path.of("/dev/null"))) {
      assertThat(Ioctl.issue(fd.number(), 0xAE00, 0)).isEqualTo(-Errno.ENOTTY);
      assertThatThrownBy(() -> Ioctl.call("KVM_GET_API_VERSION", fd, 0xAE00, 0))
          .hasMessageStartingWith("ioctl(KVM_GET_API_VERSION) failed: ENOTTY (25)");
    }
  }

  @Test
  void signalAfterCloseReachesNobody() {
    EventFd event = EventFd.create();
    event.signal();
    event.signal();
    assertThat(event.drain()).isEqualTo(2);
    assertThat(event.drain()).isZero();
    event.close();
    event.signal();
  }
}
