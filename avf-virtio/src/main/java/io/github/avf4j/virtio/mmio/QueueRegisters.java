package io.github.avf4j.virtio.mmio;

import io.github.avf4j.virtio.TransportFeatures;
import io.github.avf4j.virtio.memory.GuestMemory;
import io.github.avf4j.virtio.queue.Virtqueue;

/** What a driver has said about one queue so far. Guarded by the transport's lock. */
final class QueueRegisters {
  private final int index;
  private final int maxSize;
  private int size;
  private boolean ready;
  private long desc;
  private long avail;
  private long used;

  QueueRegisters(int index, int maxSize) {
    if (Integer.bitCount(maxSize) != 1 || maxSize > Virtqueue.MAX_SIZE) {
      throw new IllegalArgumentException(
          "the greatest size of a queue must be a power of two up to 32768 but was " + maxSize);
    }
    this.index = index;
    this.maxSize = maxSize;
  }

  int maxSize() {
    return maxSize;
  }

  boolean isReady() {
    return ready;
  }

  void reset() {
    size = 0;
    ready = false;
    desc = 0;
    avail = 0;
    used = 0;
  }

  /** Takes a write to a register of the selected queue; the geometry of a ready queue stays. */
  void write(int offset, int value) {
    if (offset == Registers.QUEUE_READY) {
      ready = (value & 1) != 0 && size != 0;
      return;
    }
    if (ready) {
      return;
    }
    switch (offset) {
      case Registers.QUEUE_NUM -> size = isLegalSize(value) ? value : 0;
      case Registers.QUEUE_DESC_LOW -> desc = withLow(desc, value);
      case Registers.QUEUE_DESC_HIGH -> desc = withHigh(desc, value);
      case Registers.QUEUE_DRIVER_LOW -> avail = withLow(avail, value);
      case Registers.QUEUE_DRIVER_HIGH -> avail = withHigh(avail, value);
      case Registers.QUEUE_DEVICE_LOW -> used = withLow(used, value);
      case Registers.QUEUE_DEVICE_HIGH -> used = withHigh(used, value);
      default -> {}
    }
  }

  /** Throws a {@link io.github.avf4j.virtio.queue.VirtqueueException} if the queue is not legal. */
  Virtqueue toVirtqueue(GuestMemory memory, long features) {
    return new Virtqueue(
        memory,
        index,
        size,
        desc,
        avail,
        used,
        (features & TransportFeatures.EVENT_IDX) != 0,
        (features & TransportFeatures.INDIRECT_DESC) != 0);
  }

  private boolean isLegalSize(int value) {
    return value > 0 && value <= maxSize && Integer.bitCount(value) == 1;
  }

  private static long withLow(long address, int value) {
    return address & 0xffff_ffff_0000_0000L | value & 0xffff_ffffL;
  }

  private static long withHigh(long address, int value) {
    return address & 0xffff_ffffL | (long) value << 32;
  }
}
