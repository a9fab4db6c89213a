package io.github.avf4j.virtio.queue;

import io.github.avf4j.virtio.memory.GuestMemory;

/**
 * Follows descriptors from a head to the end of their chain and checks each of them (virtio 1.2,
 * section 2.7.5). Confined to the thread that has the queue.
 */
final class DescriptorTable {
  /** The most descriptors of an indirect table that are taken. */
  static final int MAX_INDIRECT = 1024;

  private static final int DESCRIPTOR_SIZE = 16;
  private static final int NEXT = 1;
  private static final int WRITE = 2;
  private static final int INDIRECT = 4;
  private static final long MAX_LENGTH = 0xffff_ffffL;

  private final GuestMemory memory;
  private final long base;
  private final int size;
  private final boolean indirect;

  /** Whether the chain at hand had a device-writable descriptor already, be it an empty one. */
  private boolean writableSeen;

  DescriptorTable(GuestMemory memory, long base, int size, boolean indirect) {
    this.memory = memory;
    this.base = base;
    this.size = size;
    this.indirect = indirect;
  }

  /** Appends the parts of the chain at its head; returns whether the chain keeps all rules. */
  boolean collect(DescriptorChain chain) {
    writableSeen = false;
    return collect(chain, base, size, chain.head(), indirect)
        && chain.readableLength() + chain.writableLength() != 0;
  }

  private boolean collect(
      DescriptorChain chain, long table, int entries, int first, boolean mayBeIndirect) {
    int at = first;
    // The count ends loops; what the links say is not trusted.
    for (int seen = 0; seen < entries; seen++) {
      long descriptor = table + (long) at * DESCRIPTOR_SIZE;
      long address = memory.loadLong(descriptor);
      long rest = memory.loadLong(descriptor + 8);
      long length = rest & MAX_LENGTH;
      int flags = (int) (rest >>> 32) & 0xffff;
      int next = (int) (rest >>> 48);
      if ((flags & INDIRECT) != 0) {
        // WRITE says nothing here (virtio 1.2, section 2.7.5.3.2).
        return mayBeIndirect && (flags & ~WRITE) == INDIRECT && enter(chain, address, length);
      }
      if ((flags & ~(NEXT | WRITE)) != 0 || !append(chain, address, length, (flags & WRITE) != 0)) {
        return false;
      }
      if ((flags & NEXT) == 0) {
        return true;
      }
      if (next >= entries) {
        return false;
      }
      at = next;
    }
    return false;
  }

  private boolean enter(DescriptorChain chain, long table, long length) {
    return length != 0
        && length % DESCRIPTOR_SIZE == 0
        && length / DESCRIPTOR_SIZE <= MAX_INDIRECT
        && memory.contains(table, length)
        && collect(chain, table, (int) length / DESCRIPTOR_SIZE, 0, false);
  }

  private boolean append(DescriptorChain chain, long address, long length, boolean writable) {
    if ((!writable && writableSeen)
        || !memory.contains(address, length)
        || chain.readableLength() + chain.writableLength() + length > MAX_LENGTH) {
      return false;
    }
    writableSeen = writable;
    chain.add(address, length, writable);
    return true;
  }
}
