package io.github.avf4j.virtio.testing;

import io.github.avf4j.virtio.memory.GuestMemory;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * The driver's side of a split virtqueue, with every field within reach.
 *
 * <p>Descriptors are handed out round robin; a test that keeps more of them in flight than the ring
 * has overwrites its own, as a bad driver would. Confined to one thread.
 */
public final class GuestRing {
  /** The descriptor has a successor. */
  public static final int NEXT = 1;

  /** The device writes the buffer. */
  public static final int WRITE = 2;

  /** The buffer is a table of descriptors. */
  public static final int INDIRECT = 4;

  private final GuestMemory memory;
  private final int size;
  private final long desc;
  private final long avail;
  private final long used;
  private int nextDescriptor;
  private int available;
  private int collected;
  private int kicked;

  /** Makes a zeroed ring in {@code heap}; {@code size} is a power of two. */
  public GuestRing(GuestMemory memory, GuestHeap heap, int size) {
    this(
        memory,
        size,
        heap.allocate(16L * size, 16),
        heap.allocate(6L + 2L * size, 2),
        heap.allocate(6L + 8L * size, 4));
    memory.write(desc, new byte[16 * size], 0, 16 * size);
    memory.write(avail, new byte[6 + 2 * size], 0, 6 + 2 * size);
    memory.write(used, new byte[6 + 8 * size], 0, 6 + 8 * size);
  }

  /** Makes a ring at given addresses. */
  public GuestRing(GuestMemory memory, int size, long desc, long avail, long used) {
    this.memory = memory;
    this.size = size;
    this.desc = desc;
    this.avail = avail;
    this.used = used;
  }

  /** Starts both indices at {@code index} instead of 0, as after a restore. */
  public void startAt(int index) {
    available = index & 0xffff;
    collected = available;
    kicked = available;
    memory.storeShort(avail + 2, (short) index);
    memory.storeShort(used + 2, (short) index);
  }

  /** Returns the number of descriptors. */
  public int size() {
    return size;
  }

  /** Returns the address of the descriptor table. */
  public long desc() {
    return desc;
  }

  /** Returns the address of the available ring. */
  public long avail() {
    return avail;
  }

  /** Returns the address of the used ring. */
  public long used() {
    return used;
  }

  /** Writes descriptor {@code index} of this ring. */
  public void descriptor(int index, long address, long length, int flags, int next) {
    writeDescriptor(memory, desc + 16L * index, address, length, flags, next);
  }

  /** Writes a descriptor anywhere, such as in an indirect table. */
  public static void writeDescriptor(
      GuestMemory memory, long at, long address, long length, int flags, int next) {
    memory.storeLong(at, address);
    memory.storeInt(at + 8, (int) length);
    memory.storeShort(at + 12, (short) flags);
    memory.storeShort(at + 14, (short) next);
  }

  /** Takes {@code segments} in their order as one chain, and makes it available. */
  public int add(Segment... segments) {
    int head = link(segments);
    publish(head);
    return head;
  }

  /** Writes a chain of {@code segments} without making it available; returns its head. */
  public int link(Segment... segments) {
    int head = nextDescriptor;
    for (int i = 0; i < segments.length; i++) {
      boolean last = i == segments.length - 1;
      int flags = (segments[i].writable() ? WRITE : 0) | (last ? 0 : NEXT);
      int next = (nextDescriptor + 1) & (size - 1);
      descriptor(nextDescriptor, segments[i].address(), segments[i].length(), flags, next);
      nextDescriptor = next;
    }
    return head;
  }

  /** Writes the chain into a table at {@code table} and makes one descriptor for it available. */
  public int addIndirect(long table, Segment... segments) {
    for (int i = 0; i < segments.length; i++) {
      boolean last = i == segments.length - 1;
      int flags = (segments[i].writable() ? WRITE : 0) | (last ? 0 : NEXT);
      writeDescriptor(
          memory,
          table + 16L * i,
          segments[i].address(),
          segments[i].length(),
          flags,
          last ? 0 : i + 1);
    }
    int head = nextDescriptor;
    descriptor(head, table, 16L * segments.length, INDIRECT, 0);
    nextDescriptor = (nextDescriptor + 1) & (size - 1);
    publish(head);
    return head;
  }

  /** Makes the chain that begins at {@code head} available. */
  public void publish(int head) {
    memory.storeShort(avail + 4 + 2L * (available & (size - 1)), (short) head);
    available = (available + 1) & 0xffff;
    // release; pairs with the device's load-acquire of avail.idx.
    memory.storeShortRelease(avail + 2, (short) available);
  }

  /** Sets the index of the available ring to any value. */
  public void jumpTo(int index) {
    memory.storeShortRelease(avail + 2, (short) index);
  }

  /** Returns the next element of the used ring, or null if there is none. */
  public @Nullable Used collect() {
    // acquire; pairs with the device's store-release of used.idx.
    if ((memory.loadShortAcquire(used + 2) & 0xffff) == collected) {
      return null;
    }
    long element = used + 4 + 8L * (collected & (size - 1));
    collected = (collected + 1) & 0xffff;
    return new Used(memory.loadInt(element), memory.loadInt(element + 4) & 0xffff_ffffL);
  }

  /** Says how many elements of the used ring were not collected. */
  public int collectable() {
    return ((memory.loadShortAcquire(used + 2) & 0xffff) - collected) & 0xffff;
  }

  /**
   * Asks for an interrupt once the device has used {@code ahead} more chains than were collected.
   */
  public void wantInterruptAfter(int ahead) {
    memory.storeShort(avail + 4 + 2L * size, (short) (collected + ahead - 1));
    VarHandle.fullFence();
  }

  /** Sets the flags of the available ring; 1 asks for no interrupts (without EVENT_IDX). */
  public void availableFlags(int flags) {
    memory.storeShort(avail, (short) flags);
    VarHandle.fullFence();
  }

  /** Returns the flags of the used ring; 1 asks for no notifications (without EVENT_IDX). */
  public int usedFlags() {
    return memory.loadShort(used) & 0xffff;
  }

  /** Returns the index at which the device wants a notification (with EVENT_IDX). */
  public int availEvent() {
    return memory.loadShort(used + 4 + 8L * size) & 0xffff;
  }

  /**
   * Says, as virtio 1.2 section 2.7.10.1 does, whether the device wants to hear of what was added.
   */
  public boolean needsKick(boolean eventIdx) {
    // Orders avail.idx before the load of the device's suppression; pairs with the fence of
    // Virtqueue.enableNotifications.
    VarHandle.fullFence();
    int old = kicked;
    kicked = available;
    if (!eventIdx) {
      return (usedFlags() & 1) == 0;
    }
    return ((available - availEvent() - 1) & 0xffff) < ((available - old) & 0xffff);
  }
}
