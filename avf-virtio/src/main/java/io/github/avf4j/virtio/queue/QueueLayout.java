package io.github.avf4j.virtio.queue;

import io.github.avf4j.virtio.memory.GuestMemory;
import java.util.Locale;

/** Where the three parts of a split queue are in guest memory, checked. Thread-safe. */
final class QueueLayout {
  private static final String[] PARTS = {"descriptor table", "available ring", "used ring"};
  private static final int[] ALIGNMENTS = {16, 2, 4};

  /** Address and length of each part. */
  private final long[] ranges;

  /**
   * Checks a layout; see the constructors of {@link Virtqueue}.
   *
   * @throws VirtqueueException if it is not legal
   */
  QueueLayout(
      GuestMemory memory, int index, int size, long desc, long avail, long used, boolean eventIdx) {
    if (size <= 0 || size > Virtqueue.MAX_SIZE || Integer.bitCount(size) != 1) {
      throw new VirtqueueException(
          "the size of queue " + index + " must be a power of two up to 32768 but was " + size);
    }
    // Without EVENT_IDX a driver need not have room for the two event words.
    int event = eventIdx ? Short.BYTES : 0;
    ranges =
        new long[] {desc, 16L * size, avail, 4L + 2L * size + event, used, 4L + 8L * size + event};
    for (int i = 0; i < PARTS.length; i++) {
      requireMemory(memory, index, i);
      for (int j = 0; j < i; j++) {
        if (overlap(this, 2 * j, this, 2 * i)) {
          throw new VirtqueueException(
              "the parts of queue "
                  + index
                  + " must not overlap: "
                  + PARTS[j]
                  + " and "
                  + PARTS[i]);
        }
      }
    }
  }

  private void requireMemory(GuestMemory memory, int index, int part) {
    long address = ranges[2 * part];
    if (address % ALIGNMENTS[part] != 0 || !memory.contains(address, ranges[2 * part + 1])) {
      throw new VirtqueueException(
          String.format(
              Locale.ROOT,
              "the %s of queue %d must be aligned to %d and lie in RAM but was at 0x%x",
              PARTS[part],
              index,
              ALIGNMENTS[part],
              address));
    }
  }

  /** Says whether a part of this layout shares memory with a part of {@code other}. */
  boolean overlaps(QueueLayout other) {
    for (int i = 0; i < ranges.length; i += 2) {
      for (int j = 0; j < other.ranges.length; j += 2) {
        if (overlap(this, i, other, j)) {
          return true;
        }
      }
    }
    return false;
  }

  private static boolean overlap(QueueLayout a, int i, QueueLayout b, int j) {
    return a.ranges[i] < b.ranges[j] + b.ranges[j + 1]
        && b.ranges[j] < a.ranges[i] + a.ranges[i + 1];
  }
}
