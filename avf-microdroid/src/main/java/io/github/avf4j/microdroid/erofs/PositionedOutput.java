package io.github.avf4j.microdroid.erofs;

import io.github.avf4j.microdroid.image.AtomicFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * Buffered writes to one of several places of a file. Zeros in whole buffers are not written: the
 * file has a hole there. Confined to one thread.
 */
final class PositionedOutput {
  private static final int SIZE = 1 << 18;
  private static final byte[] ZEROS = new byte[SIZE];

  private final AtomicFile out;
  private final byte[] buffer = new byte[SIZE];
  private long position;
  private int buffered;

  PositionedOutput(AtomicFile out) {
    this.out = out;
  }

  /** Goes to a place behind the last one; short gaps become zeros. */
  void seek(long to) throws IOException {
    long gap = to - position - buffered;
    if (buffered > 0 && gap >= 0 && gap <= SIZE - buffered) {
      Arrays.fill(buffer, buffered, buffered + (int) gap, (byte) 0);
      buffered += (int) gap;
    } else {
      flush();
      position = to;
    }
  }

  void write(byte[] bytes, int offset, int length) throws IOException {
    int done = 0;
    while (done < length) {
      if (buffered == SIZE) {
        flush();
      }
      int piece = Math.min(length - done, SIZE - buffered);
      System.arraycopy(bytes, offset + done, buffer, buffered, piece);
      buffered += piece;
      done += piece;
    }
  }

  void flush() throws IOException {
    if (!Arrays.equals(buffer, 0, buffered, ZEROS, 0, buffered)) {
      out.write(position, ByteBuffer.wrap(buffer, 0, buffered));
    }
    position += buffered;
    buffered = 0;
  }
}
