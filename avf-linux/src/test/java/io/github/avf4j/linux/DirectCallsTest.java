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

class DirectCallsTest {
  private static final long FIONREAD = 0x541B;

  @Test
  void isThereOnProcessorsThatItKnows() {
    assumeTrue(DirectCode.ofThisProcessor().isPresent(), "this processor goes through JNA");
    assumeTrue(System.getProperty(DirectCalls.PROPERTY) == null, "the property switches it off");
    assertThat(DirectCalls.AVAILABLE).isTrue();
  }

  @Test
  void copiesAsTheCLibraryDoes() throws Exception {
    assumeTrue(DirectCalls.AVAILABLE, "this processor or JVM goes through JNA");
    DirectCode code = DirectCode.ofThisProcessor().orElseThrow();
    try (MemFd file = MemFd.create("test", 8192)) {
      int fd = file.fd().number();
      NativeBuffer buffer = NativeBuffer.allocate(16);
      buffer.bytes().putLong(0, 0x1122334455667788L);
      assertThat(DirectCalls.call(code.copyIn(), fd, buffer.address(), 8, 5000)).isEqualTo(8);
      assertThat(LibC.pread(fd, buffer.address() + 8, 8, 5000)).isEqualTo(8);
      assertThat(buffer.bytes().getLong(8)).isEqualTo(0x1122334455667788L);
      assertThat(DirectCalls.call(code.copyOut(), fd, buffer.address() + 8, 4, 5004)).isEqualTo(4);
      assertThat(buffer.bytes().getInt(8)).isEqualTo(0x11223344);
      assertThat(DirectCalls.call(code.copyOut(), fd, 1, 4, 0)).isEqualTo(-Errno.EFAULT);
      assertThat(DirectCalls.call(code.copyIn(), -1, buffer.address(), 4, 0)).isEqualTo(-9);
    }
  }

  @Test
  void answersAsTheCLibraryDoes() throws Exception {
    assumeTrue(DirectCalls.AVAILABLE, "this processor or JVM goes through JNA");
    List<UnixFdChannel> pair = UnixFdChannel.pair();
    try (UnixFdChannel left = pair.get(0);
        UnixFdChannel right = pair.get(1);
        Fd none = Fd.openReadOnly(Path.of("/dev/null"))) {
      left.send(java.nio.ByteBuffer.allocate(1234), List.of());
      NativeBuffer direct = NativeBuffer.allocate(8);
      NativeBuffer jna = NativeBuffer.allocate(8);
      int fd = right.fd().number();
      assertThat(DirectCalls.ioctl(fd, FIONREAD, direct.address())).isZero();
      assertThat(Ioctl.issueThroughJna(fd, FIONREAD, jna.address())).isZero();
      assertThat(direct.bytes().getInt(0)).isEqualTo(jna.bytes().getInt(0)).isEqualTo(1234);
      assertThat(DirectCalls.ioctl(none.number(), 0xAE00, 0))
          .isEqualTo(Ioctl.issueThroughJna(none.number(), 0xAE00, 0))
          .isEqualTo(-Errno.ENOTTY);
      assertThat(DirectCalls.ioctl(-1, 0xAE00, 0)).isEqualTo(-9);
      assertThat(DirectCalls.ioctl(fd, FIONREAD, 1)).isEqualTo(-Errno.EFAULT);
    }
  }

  @Test
  void worksOnManyThreadsWhileGarbageIsCollected() throws Exception {
    assumeTrue(DirectCalls.AVAILABLE, "this processor or JVM goes through JNA");
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
      wrong += DirectCalls.ioctl(fd, 0xAE00, i) == -Errno.ENOTTY ? 0 : 1;
    }
    return wrong;
  }
}
