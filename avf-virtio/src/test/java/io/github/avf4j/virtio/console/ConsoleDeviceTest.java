package io.github.avf4j.virtio.console;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.DataSize;
import io.github.avf4j.virtio.testing.ScriptedDriver;
import io.github.avf4j.virtio.testing.Segment;
import io.github.avf4j.virtio.testing.Used;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ConsoleDeviceTest {
  private static final int RX = 0;
  private static final int TX = 1;
  private static final long TIMEOUT_SECONDS = 60;

  private final ByteArrayOutputStream printed = new ByteArrayOutputStream();
  private final ConsoleDevice device =
      new ConsoleDevice(
          ConsoleConfig.builder().output(printed::write).inputBuffer(DataSize.ofBytes(16)).build());
  private final ScriptedDriver driver = new ScriptedDriver(device);

  @AfterEach
  void close() {
    driver.close();
  }

  private String text(Segment segment, long length) {
    return new String(driver.bytes(segment), 0, (int) length, UTF_8);
  }

  @Test
  void printsWhatTheGuestWrites() {
    driver.start();
    assertThat(driver.exchange(TX, driver.readable("hello, ".getBytes(UTF_8))).length()).isZero();
    driver.exchange(
        TX, driver.readable("wor".getBytes(UTF_8)), driver.readable("ld".getBytes(UTF_8)));
    assertThat(printed.toString(UTF_8)).isEqualTo("hello, world");
  }

  @Test
  void printsMoreThanOnePiece() {
    driver.start();
    byte[] large = "0123456789abcdef".repeat(4096).getBytes(UTF_8);
    driver.exchange(TX, driver.readable(large));
    assertThat(printed.toByteArray()).isEqualTo(large);
  }

  @Test
  void givesInputToABufferThatWaits() throws Exception {
    driver.start();
    Segment buffer = driver.writable(32);
    driver.ring(RX).add(buffer);
    driver.kick(RX);
    device.input().write("ls\n".getBytes(UTF_8));
    assertThat(driver.ring(RX).collect()).isEqualTo(new Used(0, 3));
    assertThat(text(buffer, 3)).isEqualTo("ls\n");
    assertThat(driver.interrupts()).isEqualTo(1);
  }

  @Test
  void keepsInputForADriverThatComesLater() throws Exception {
    device.input().write("early".getBytes(UTF_8));
    driver.start();
    Segment small = driver.writable(2);
    Segment large = driver.writable(32);
    driver.ring(RX).add(small);
    driver.ring(RX).add(large);
    driver.kick(RX);
    assertThat(driver.ring(RX).collect()).isEqualTo(new Used(0, 2));
    assertThat(driver.ring(RX).collect()).isEqualTo(new Used(1, 3));
    assertThat(text(small, 2) + text(large, 3)).isEqualTo("early");
  }

  @Test
  void wantsToHearOfEveryBufferWhileItHasInput() throws Exception {
    driver.start();
    device.input().write("abcdef".getBytes(UTF_8));
    StringBuilder received = new StringBuilder();
    for (int i = 0; i < 6; i++) {
      Segment buffer = driver.writable(1);
      assertThat(driver.exchange(RX, buffer).length()).isEqualTo(1);
      received.append(text(buffer, 1));
    }
    assertThat(received.toString()).isEqualTo("abcdef");
  }

  @Test
  void keepsInputAcrossAReset() throws Exception {
    driver.start();
    device.input().write('x');
    driver.start();
    Segment buffer = driver.writable(1);
    driver.ring(RX).add(buffer);
    driver.kick(RX);
    assertThat(text(buffer, 1)).isEqualTo("x");
  }

  @Test
  void holdsAWriterUntilTheGuestReads() throws Exception {
    driver.start(0, 16);
    byte[] text = "0123456789".repeat(100).getBytes(UTF_8);
    CompletableFuture<Void> writer =
        CompletableFuture.runAsync(
            () -> {
              try {
                device.input().write(text);
              } catch (IOException e) {
                throw new AssertionError(e);
              }
            });
    assertThat(writer.isDone()).isFalse();
    StringBuilder received = new StringBuilder();
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(TIMEOUT_SECONDS);
    while (received.length() < text.length && System.nanoTime() < deadline) {
      Segment buffer = driver.writable(7);
      driver.ring(RX).add(buffer);
      driver.kick(RX);
      Used used = driver.ring(RX).collect();
      while (used == null && driver.awaitInterrupt(Duration.ofSeconds(1))) {
        used = driver.ring(RX).collect();
      }
      if (used != null) {
        received.append(text(buffer, used.length()));
      }
    }
    writer.get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
    assertThat(received.toString()).isEqualTo(new String(text, UTF_8));
  }

  @Test
  void freesAWriterWhenTheDeviceEnds() throws Exception {
    driver.start();
    CompletableFuture<Void> writer =
        CompletableFuture.runAsync(
            () ->
                assertThatThrownBy(() -> device.input().write(new byte[17]))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("stopped"));
    driver.close();
    writer.get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
    assertThatThrownBy(() -> device.input().write(1)).isInstanceOf(IOException.class);
  }

  @Test
  void freesAWriterThatIsInterrupted() throws Exception {
    CompletableFuture<InterruptedIOException> result = new CompletableFuture<>();
    Thread writer =
        new Thread(
            () -> {
              try {
                device.input().write(new byte[20]);
                result.completeExceptionally(new AssertionError("did not block"));
              } catch (InterruptedIOException e) {
                result.complete(e);
              } catch (IOException e) {
                result.completeExceptionally(e);
              }
            });
    writer.setDaemon(true);
    writer.start();
    writer.interrupt();
    assertThat(result.get(TIMEOUT_SECONDS, TimeUnit.SECONDS).bytesTransferred).isEqualTo(16);
  }

  @Test
  void closingTheInputEndsNothing() throws Exception {
    driver.start();
    device.input().close();
    device.input().write('x');
    assertThat(driver.exchange(RX, driver.writable(1)).length()).isEqualTo(1);
  }

  @Test
  void tellsItsSize() {
    ConsoleDevice sized =
        new ConsoleDevice(ConsoleConfig.builder().size(new ConsoleSize(132, 50)).build());
    assertThat(sized.features()).isEqualTo(1);
    assertThat(sized.readConfig(0, 2)).isEqualTo(132);
    assertThat(sized.readConfig(2, 2)).isEqualTo(50);
    assertThat(sized.readConfig(4, 4)).isEqualTo(1);
    assertThat(device.features()).isZero();
    assertThat(device.readConfig(0, 4)).isZero();
    sized.close();
  }

  @Test
  void survivesASinkThatFails() {
    ConsoleDevice failing =
        new ConsoleDevice(
            ConsoleConfig.builder()
                .output(
                    (bytes, offset, length) -> {
                      throw new IllegalStateException("on purpose");
                    })
                .build());
    try (ScriptedDriver other = new ScriptedDriver(failing)) {
      other.start();
      other.exchange(TX, other.readable(new byte[10]));
      other.exchange(TX, other.readable(new byte[10]));
      assertThat(other.read(0x70)).isEqualTo(15);
    }
  }

  @Test
  void givesBackInputBuffersThatCannotBeWritten() throws Exception {
    driver.start();
    device.input().write('x');
    driver.ring(RX).add(driver.readable(new byte[4]));
    Segment good = driver.writable(4);
    driver.ring(RX).add(good);
    driver.kick(RX);
    assertThat(driver.ring(RX).collect()).isEqualTo(new Used(0, 0));
    assertThat(driver.ring(RX).collect()).isEqualTo(new Used(1, 1));
  }
}
