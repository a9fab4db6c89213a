package io.github.avf4j.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.HypervisorException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EventLoopTest {
  private final LinkedBlockingQueue<String> heard = new LinkedBlockingQueue<>();
  private final LinkedBlockingQueue<Throwable> failures = new LinkedBlockingQueue<>();

  @Test
  void runsAHandlerAfterEverySignal() throws InterruptedException {
    try (EventLoop loop = new EventLoop("avf-test-io", failures::add);
        EventFd a = EventFd.create();
        EventFd b = EventFd.create()) {
      loop.onSignal(a, () -> heard.add("a"));
      loop.onSignal(b, () -> heard.add("b"));
      for (int i = 0; i < 1000; i++) {
        a.signal();
        assertThat(next()).isEqualTo("a");
        b.signal();
        assertThat(next()).isEqualTo("b");
      }
    }
  }

  @Test
  void hearsASignalFromBeforeItWatched() throws InterruptedException {
    try (EventLoop loop = new EventLoop("avf-test-io", failures::add);
        EventFd a = EventFd.create()) {
      a.signal();
      loop.onSignal(a, () -> heard.add("a"));
      assertThat(next()).isEqualTo("a");
    }
  }

  @Test
  void survivesAHandlerThatThrows() throws InterruptedException {
    try (EventLoop loop = new EventLoop("avf-test-io", failures::add)) {
      loop.execute(
          () -> {
            throw new IllegalStateException("on purpose");
          });
      loop.execute(() -> heard.add("still here"));
      assertThat(next()).isEqualTo("still here");
      assertThat(failures.poll(30, TimeUnit.SECONDS)).hasMessage("on purpose");
    }
  }

  @Test
  void stopsWatchingWhatWasRemoved() throws InterruptedException {
    try (EventLoop loop = new EventLoop("avf-test-io", failures::add);
        EventFd a = EventFd.create()) {
      loop.onSignal(a, () -> heard.add("a"));
      loop.remove(a.fd());
      a.signal();
      loop.execute(() -> heard.add("task"));
      assertThat(next()).isEqualTo("task");
    }
  }

  @Test
  void forgetsWhatCannotBeWatched(@TempDir Path folder) throws Exception {
    Path path = Files.write(folder.resolve("file"), new byte[1]);
    try (EventLoop loop = new EventLoop("avf-test-io", failures::add);
        Fd file = Fd.openReadWrite(path);
        EventFd a = EventFd.create()) {
      assertThatThrownBy(() -> loop.onReadable(file, () -> heard.add("file")))
          .isInstanceOf(HypervisorException.class)
          .hasMessageContaining("EPERM");
      loop.remove(file);
      loop.onSignal(a, () -> heard.add("a"));
      a.signal();
      assertThat(next()).isEqualTo("a");
    }
  }

  @Test
  void readsFromASocketUntilItsEnd() throws InterruptedException {
    List<UnixFdChannel> pair = UnixFdChannel.pair();
    try (EventLoop loop = new EventLoop("avf-test-io", failures::add);
        UnixFdChannel left = pair.get(0);
        UnixFdChannel right = pair.get(1)) {
      loop.onReadable(
          right.fd(),
          () -> {
            int n = right.receive(ByteBuffer.allocate(16), new ArrayList<>());
            heard.add("read " + n);
            if (n < 0) {
              loop.remove(right.fd());
            }
          });
      left.send(ByteBuffer.wrap(new byte[] {1, 2, 3}), List.of());
      assertThat(next()).isEqualTo("read 3");
      left.shutdown();
      assertThat(next()).isEqualTo("read -1");
    }
    assertThat(failures).isEmpty();
  }

  @Test
  void closesFromItsOwnThreadWithoutWaitingForItself() throws InterruptedException {
    EventLoop loop = new EventLoop("avf-test-io", failures::add);
    loop.execute(
        () -> {
          loop.close();
          heard.add("closed");
        });
    assertThat(next()).isEqualTo("closed");
    loop.close();
    loop.close();
  }

  private String next() throws InterruptedException {
    return heard.poll(30, TimeUnit.SECONDS);
  }
}
