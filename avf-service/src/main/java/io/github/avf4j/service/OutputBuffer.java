package io.github.avf4j.service;

import io.github.avf4j.spi.ByteSink;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.util.Objects;

/**
 * What a guest has printed and nobody has read yet: a ring that drops the oldest bytes when it is
 * full, so that a guest can neither block nor fill the JVM.
 *
 * <p>It lives as long as its machine. Memory is taken when there is something to keep.
 *
 * <p>Thread-safe; {@link #write} never waits for a reader.
 */
final class OutputBuffer implements ByteSink {
  static final int DEFAULT_CAPACITY = 1 << 20;
  private static final int FIRST_ALLOCATION = 4096;

  private final int capacity;
  private byte[] ring = new byte[0];
  private int start;
  private int count;
  private long dropped;
  private boolean ended;

  OutputBuffer(int capacity) {
    this.capacity = capacity;
  }

  @Override
  public synchronized void write(byte[] bytes, int offset, int length) {
    int skipped = Math.max(0, length - capacity);
    dropped += skipped;
    int from = offset + skipped;
    int rest = length - skipped;
    reserve(rest);
    int excess = Math.max(0, count + rest - ring.length);
    dropped += excess;
    start = ring.length == 0 ? 0 : (start + excess) % ring.length;
    count -= excess;
    while (rest > 0) {
      int end = (start + count) % ring.length;
      int piece = Math.min(rest, ring.length - end);
      System.arraycopy(bytes, from, ring, end, piece);
      from += piece;
      count += piece;
      rest -= piece;
    }
    notifyAll();
  }

  private void reserve(int more) {
    long needed = (long) count + more;
    if (needed <= ring.length || ring.length == capacity) {
      return;
    }
    long size = Math.max(FIRST_ALLOCATION, ring.length);
    while (size < needed) {
      size *= 2;
    }
    byte[] larger = new byte[(int) Math.min(size, capacity)];
    int first = Math.min(count, ring.length - start);
    System.arraycopy(ring, start, larger, 0, first);
    System.arraycopy(ring, 0, larger, first, count - first);
    ring = larger;
    start = 0;
  }

  /** Another run begins: readers wait for more again. */
  synchronized void open() {
    ended = false;
  }

  /** No more is printed: readers see the end after what is left. */
  synchronized void end() {
    ended = true;
    notifyAll();
  }

  /** Returns how many bytes were dropped because nobody read them. */
  synchronized long dropped() {
    return dropped;
  }

  /** Returns a stream over what is here; streams compete for the bytes. */
  InputStream newStream() {
    return new Reader();
  }

  private synchronized int take(Reader reader, byte[] target, int offset, int length)
      throws IOException {
    while (count == 0) {
      if (reader.closed) {
        throw new IOException("the stream is closed");
      }
      if (ended) {
        return -1;
      }
      try {
        wait();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new InterruptedIOException("interrupted while waiting for output");
      }
    }
    if (reader.closed) {
      throw new IOException("the stream is closed");
    }
    int taken = Math.min(length, count);
    int first = Math.min(taken, ring.length - start);
    System.arraycopy(ring, start, target, offset, first);
    System.arraycopy(ring, 0, target, offset + first, taken - first);
    start = (start + taken) % ring.length;
    count -= taken;
    if (count == 0 && ended) {
      ring = new byte[0];
      start = 0;
    }
    return taken;
  }

  private synchronized int count() {
    return count;
  }

  private synchronized void close(Reader reader) {
    reader.closed = true;
    notifyAll();
  }

  private final class Reader extends InputStream {
    /** Guarded by the buffer. */
    private boolean closed;

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] target, int offset, int length) throws IOException {
      Objects.checkFromIndexSize(offset, length, target.length);
      return length == 0 ? 0 : take(this, target, offset, length);
    }

    @Override
    public int available() {
      return count();
    }

    @Override
    public void close() {
      OutputBuffer.this.close(this);
    }
  }
}
