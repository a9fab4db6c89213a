package io.github.avf4j.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class DirectIoctlTest {
  private static final long FIONREAD = 0x541B;

  @Test
  void answersAsTheCLibraryDoes() throws Exception {
    assumeTrue(DirectIoctl.AVAILABLE, "this processor or JVM goes through JNA");
    List<UnixFdChannel> pair = UnixFdChannel.pair();
    try (UnixFdChannel left = pair.get(0);
        UnixFdChannel right = pair.get(1);
        Fd none = Fd.openReadOnly(Path.of("/dev/null"))) {
      left.send(java.nio.ByteBuffer.allocate(1234), List.of());
      NativeBuffer direct = NativeBuffer.allocate(8);
      NativeBuffer jna = NativeBuffer.allocate(8);
      int fd = right.fd().number();
      assertThat(DirectIoctl.ioctl(fd, FIONREAD, direct.address())).isZero();
      assertThat(Ioctl.issueThroughJna(fd, FIONREAD, jna.address())).isZero();
      assertThat(direct.bytes().getInt(0)).isEqualTo(jna.bytes().getInt(0)).isEqualTo(1234);
      assertThat(DirectIoctl.ioctl(none.number(), 0xAE00, 0))
          .isEqualTo(Ioctl.issueThroughJna(none.number(), 0xAE00, 0))
          .isEqualTo(-Errno.ENOTTY);
      assertThat(DirectIoctl.ioctl(-1, 0xAE00, 0)).isEqualTo(-9);
      assertThat(DirectIoctl.ioctl(fd, FIONREAD, 1)).isEqualTo(-Errno.EFAULT);
    }
  }

  @Test
  void worksOnManyThreadsWhileGarbageIsCollected() throws Exception {
    assumeTrue(DirectIoctl.AVAILABLE, "this processor or JVM goes through JNA");
    ExecutorService pool = Executors.newFixedThreadPool(4);
    try (Fd none = Fd.openReadOnly(Path.of("/dev/null"))) {
      List<Future<Integer>> wrong = new ArrayList<>();
      for (int t = 0; t < 4; t++) {
        wrong.add(pool.submit(() -> countWrongAnswers(none.number())));
      }
      for (int i = 0; i < 10; i++) {
        System.gc();
      }
      for (Future<Integer> count : wrong) {
        assertThat(count.get(60, TimeUnit.SECONDS)).isZero();
      }
    } finally {
      pool.shutdownNow();
    }
  }

  private static int countWrongAnswers(int fd) {
    int wrong = 0;
    for (int i = 0; i < 200_000; i++) {
      wrong += DirectIoctl.ioctl(fd, 0xAE00, i) == -Errno.ENOTTY ? 0 : 1;
    }
    return wrong;
  }
}
