package io.github.avf4j.virtio.testing;

/** Hands out guest-physical addresses in ascending order. Confined to one thread. */
public final class GuestHeap {
  private final long end;
  private long next;

  /** Makes a heap from {@code start} to {@code end}. */
  public GuestHeap(long start, long end) {
    next = start;
    this.end = end;
  }

  /**
   * Returns the address of {@code size} bytes that nobody else got, a multiple of {@code
   * alignment}.
   */
  public long allocate(long size, long alignment) {
    long address = (next + alignment - 1) / alignment * alignment;
    if (size > end - address) {
      throw new IllegalStateException("the guest's heap is used up: " + size + " bytes do not fit");
    }
    next = address + size;
    return address;
  }
}
