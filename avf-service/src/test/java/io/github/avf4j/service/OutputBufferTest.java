package io.github.avf4j.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class OutputBufferTest {
  private static byte[] bytes(int from, int count) {
    byte[] bytes = new byte[count];
    for (int i = 0; i < count; i++) {
      bytes[i] = (byte) (from + i);
    }
    return bytes;
  }

  @Test
  void givesBytesInOrderWhateverTheirPieces() throws IOException {
    OutputBuffer buffer = new OutputBuffer(10_000);
    InputStream in = buffer.newStream();
    SplittableRandom random = new SplittableRandom(1);
    ByteArrayOutputStream read = new ByteArrayOutputStream();
    int written = 0;
    while (written < 500_000) {
      byte[] piece = bytes(written, random.nextInt(0, 4000));
      buffer.write(piece, 0, piece.length);
      written += piece.length;
      byte[] target = new byte[random.nextInt(1, 5000)];
      while (in.available() > 5000) {
        read.write(target, 0, in.read(target));
      }
    }
    buffer.end();
    in.transferTo(read);
    assertThat(read.toByteArray()).isEqualTo(bytes(0, written));
    assertThat(buffer.dropped()).isZero();
  }

  @Test
  void dropsTheOldestAndCounts() throws IOException {
    for (int capacity : new int[] {1, 100, 4096, 5000, 10_000}) {
      OutputBuffer buffer = new OutputBuffer(capacity);
      SplittableRandom random = new SplittableRandom(capacity);
      int written = 0;
      while (written < 50_000) {
        byte[] piece = bytes(written, random.nextInt(0, 12_000));
        byte[] inside = new byte[piece.length + 7];
        System.arraycopy(piece, 0, inside, 3, piece.length);
        buffer.write(inside, 3, piece.length);
        written += piece.length;
      }
      buffer.end();
      byte[] rest = buffer.newStream().readAllBytes();
      assertThat(rest).isEqualTo(bytes(written - capacity, capacity));
      assertThat(buffer.dropped()).isEqualTo(written - capacity);
    }
  }

  @Test
  void streamsShareTheBytes() throws IOException {
    OutputBuffer buffer = new OutputBuffer(100);
    buffer.write(bytes(0, 4), 0, 4);
    assertThat(buffer.newStream().readNBytes(2)).containsExactly(0, 1);
    assertThat(buffer.newStream().readNBytes(2)).containsExactly(2, 3);
  }

  @Test
  void readerWaitsForBytesAndForTheEnd() throws Exception {
    OutputBuffer buffer = new OutputBuffer(100);
    InputStream in = buffer.newStream();
    CompletableFuture<byte[]> all =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                return in.readAllBytes();
              } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
              }
            });
    buffer.write(bytes(0, 3), 0, 3);
    buffer.write(bytes(3, 3), 0, 3);
    buffer.end();
    assertThat(all.get(30, TimeUnit.SECONDS)).isEqualTo(bytes(0, 6));
  }

  @Test
  void goesOnInTheNextRun() throws IOException {
    OutputBuffer buffer = new OutputBuffer(100);
    buffer.write(bytes(0, 3), 0, 3);
    buffer.end();
    InputStream in = buffer.newStream();
    assertThat(in.readAllBytes()).hasSize(3);
    buffer.open();
    buffer.write(bytes(0, 2), 0, 2);
    buffer.end();
    assertThat(in.readAllBytes()).hasSize(2);
    assertThat(in.read()).isEqualTo(-1);
  }

  @Test
  void closeEndsAWaitingReader() throws Exception {
    OutputBuffer buffer = new OutputBuffer(100);
    InputStream in = buffer.newStream();
    CompletableFuture<Integer> read =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                return in.read();
              } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
              }
            });
    in.close();
    assertThatThrownBy(() -> read.get(30, TimeUnit.SECONDS))
        .isInstanceOf(ExecutionException.class)
        .hasRootCauseMessage("the stream is closed");
    in.close();
    byte[] one = Arrays.copyOf(new byte[] {5}, 1);
    buffer.write(one, 0, 1);
    assertThat(buffer.newStream().read()).isEqualTo(5);
  }
}
