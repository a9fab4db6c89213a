package io.github.avf4j.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.HypervisorException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class UnixFdChannelTest {
  @Test
  void carriesAMemfdThatBothEndsMap() {
    List<UnixFdChannel> pair = UnixFdChannel.pair();
    List<Fd> received = new ArrayList<>();
    try (UnixFdChannel left = pair.get(0);
        UnixFdChannel right = pair.get(1);
        MemFd memory = MemFd.create("test", 8192);
        EventFd event = EventFd.create()) {
      left.send(ByteBuffer.wrap(new byte[] {7}), List.of(memory.fd(), event.fd()));
      ByteBuffer byteBuffer = ByteBuffer.allocate(16);
      assertThat(right.receive(byteBuffer, received)).isEqualTo(1);
      assertThat(byteBuffer.get(0)).isEqualTo((byte) 7);
      assertThat(received).hasSize(2);
      try (MemoryMapping here = MemoryMapping.shared(memory.fd(), 0, 8192);
          MemoryMapping there = MemoryMapping.shared(received.get(0), 0, 8192);
          EventFd sameEvent = EventFd.own(received.get(1))) {
        here.chunks().get(0).putInt(5000, 0xCAFE);
        assertThat(there.chunks().get(0).getInt(5000)).isEqualTo(0xCAFE);
        sameEvent.signal();
        assertThat(event.drain()).isEqualTo(1);
      }
    } finally {
      received.forEach(Fd::close);
    }
  }

  @Test
  void splitsWhatIsLongerThanItsBuffer() {
    List<UnixFdChannel> pair = UnixFdChannel.pair();
    try (UnixFdChannel left = pair.get(0);
        UnixFdChannel right = pair.get(1)) {
      byte[] sent = new byte[10_000];
      for (int i = 0; i < sent.length; i++) {
        sent[i] = (byte) (i * 31);
      }
      left.send(ByteBuffer.wrap(sent), List.of());
      ByteBuffer got = ByteBuffer.allocate(sent.length);
      while (got.hasRemaining()) {
        assertThat(right.receive(got, new ArrayList<>())).isPositive();
      }
      assertThat(got.array()).isEqualTo(sent);
    }
  }

  @Test
  void tellsTheEndOfTheStreamAndABrokenPipe() {
    List<UnixFdChannel> pair = UnixFdChannel.pair();
    try (UnixFdChannel left = pair.get(0)) {
      pair.get(1).close();
      assertThat(left.receive(ByteBuffer.allocate(1), new ArrayList<>())).isEqualTo(-1);
      assertThatThrownBy(() -> left.send(ByteBuffer.wrap(new byte[1]), List.of()))
          .isInstanceOf(HypervisorException.class)
          .hasMessageContaining("sendmsg() failed: EPIPE (32)");
    }
  }

  @Test
  void listensConnectsAndTimesOut() throws Exception {
    Path folder = Files.createTempDirectory(Path.of("/tmp"), "avf");
    Path path = folder.resolve("s");
    try (UnixFdListener listener = UnixFdListener.bind(path)) {
      assertThat(listener.accept(Duration.ofMillis(1))).isEmpty();
      try (UnixFdChannel client = UnixFdChannel.connect(path);
          UnixFdChannel server = listener.accept(Duration.ofSeconds(30)).orElseThrow()) {
        client.send(StandardCharsets.US_ASCII.encode("hello"), List.of());
        assertThat(server.awaitReadable(Duration.ofSeconds(30))).isTrue();
        ByteBuffer got = ByteBuffer.allocate(16);
        assertThat(server.receive(got, new ArrayList<>())).isEqualTo(5);
      }
    } finally {
      Files.deleteIfExists(path);
      Files.delete(folder);
    }
  }

  @Test
  void saysWhichSocketNobodyListensOn() {
    assertThatThrownBy(() -> UnixFdChannel.connect(Path.of("/tmp/avf-no-such-socket")))
        .isInstanceOf(HypervisorException.class)
        .hasMessageContaining("connect(/tmp/avf-no-such-socket) failed: ENOENT (2)");
    assertThatThrownBy(() -> UnixFdChannel.connect(Path.of("/tmp/" + "x".repeat(120))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("107");
  }
}
