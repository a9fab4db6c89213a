package io.github.avf4j.virtio.queue;

import java.util.Arrays;

/**
 * The buffers of one direction of a chain as one stream of bytes with a cursor. Reused from chain
 * to chain. Confined to the thread that has the queue.
 */
final class BufferList {
  private static final int FIRST_CAPACITY = 8;

  private long[] addresses = new long[FIRST_CAPACITY];
  private long[] lengths = new long[FIRST_CAPACITY];
  private int count;
  private long length;

  /**
   * The buffer under the cursor, how much of it is behind the cursor, and how much is before it.
   */
  private int at;

  private long offset;
  private long remaining;

  void clear() {
    count = 0;
    length = 0;
    at = 0;
    offset = 0;
    remaining = 0;
  }

  /** Appends a buffer that was checked; an empty one is dropped. The cursor stays at the start. */
  void add(long address, long bytes) {
    if (bytes == 0) {
      return;
    }
    if (count == addresses.length) {
      addresses = Arrays.copyOf(addresses, count * 2);
      lengths = Arrays.copyOf(lengths, count * 2);
    }
    addresses[count] = address;
    lengths[count++] = bytes;
    length += bytes;
    remaining += bytes;
  }

  long length() {
    return length;
  }

  long remaining() {
    return remaining;
  }

  /** Throws unless the cursor has {@code bytes} before it. */
  void require(long bytes) {
    if (bytes < 0 || bytes > remaining) {
      throw new VirtqueueException("a chain has " + remaining + " bytes left but needs " + bytes);
    }
  }

  /** Returns the address under the cursor; there must be a byte left. */
  long address() {
    return addresses[at] + offset;
  }

  /** Returns how many of {@code wanted} bytes the buffer under the cursor still has. */
  int part(int wanted) {
    return (int) Math.min(wanted, lengths[at] - offset);
  }

  /** Moves the cursor over {@code bytes}, which must not be more than the buffer still has. */
  void advance(int bytes) {
    remaining -= bytes;
    offset += bytes;
    if (offset == lengths[at]) {
      at++;
      offset = 0;
    }
  }

  void skip(long bytes) {
    require(bytes);
    for (long left = bytes; left > 0; ) {
      int step = part((int) Math.min(left, Integer.MAX_VALUE));
      advance(step);
      left -= step;
    }
  }

  /** Returns the address of the byte at {@code position} of the stream, wherever the cursor is. */
  long addressOf(long position) {
    if (position < 0 || position >= length) {
      throw new VirtqueueException(
          "offset " + position + " is not in the " + length + " bytes of a chain");
    }
    int buffer = 0;
    long left = position;
    while (left >= lengths[buffer]) {
      left -= lengths[buffer++];
    }
    return addresses[buffer] + left;
  }
}
