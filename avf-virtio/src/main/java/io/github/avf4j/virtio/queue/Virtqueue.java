package io.github.avf4j.virtio.queue;

import io.github.avf4j.virtio.memory.GuestMemory;
import io.github.avf4j.virtio.memory.GuestMemoryException;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The device's side of a split virtqueue (virtio 1.2, section 2.7).
 *
 * <p>A chain that breaks a rule is given back with length 0, counted and skipped. A ring that
 * breaks a rule (an available index that jumps by more than the size, a head out of range, more
 * chains outstanding than the size, memory that the guest does not share) is {@linkplain #broken()
 * broken} for ever. Neither throws: what a guest does must not end a thread of the host.
 *
 * <p>Never blocks; allocates nothing once as many chains were held at a time as the driver uses.
 * Confined to one thread at a time, except {@link #stop()}, {@link #stopped()} and {@link
 * #broken()}.
 */
public final class Virtqueue {
  /** The greatest size of a split queue. */
  public static final int MAX_SIZE = 32768;

  private static final Logger LOG = LoggerFactory.getLogger(Virtqueue.class);
  private static final int NO_INTERRUPT = 1;
  private static final short NO_NOTIFY = 1;

  private final GuestMemory memory;
  private final int index;
  private final int size;
  private final long avail;
  private final long used;
  private final boolean eventIdx;
  private final DescriptorTable table;
  private final QueueLayout layout;

  /** Chains at hand, a stack. */
  private final @Nullable DescriptorChain[] free;

  private int freeCount;
  private int held;

  /** Ring indices run from 0 to 65535 and wrap. */
  private int nextAvailable;

  private int seenAvailable;
  private int nextUsed;
  private int unsignalled;
  private long badChains;
  private volatile boolean broken;
  private volatile boolean stopped;

  /**
   * Makes a queue that a driver has just set up.
   *
   * @param index the number of the queue in its device
   * @param size the number of descriptors, a power of two up to 32768
   * @param desc the guest-physical address of the descriptor table, a multiple of 16
   * @param avail the guest-physical address of the available ring, a multiple of 2
   * @param used the guest-physical address of the used ring, a multiple of 4
   * @param eventIdx whether VIRTIO_F_EVENT_IDX was negotiated
   * @param indirect whether VIRTIO_F_INDIRECT_DESC was negotiated
   * @throws VirtqueueException if the size is not legal, an address is not aligned or not RAM, or
   *     two parts overlap
   */
  public Virtqueue(
      GuestMemory memory,
      int index,
      int size,
      long desc,
      long avail,
      long used,
      boolean eventIdx,
      boolean indirect) {
    this(memory, index, size, desc, avail, used, eventIdx, indirect, 0, 0);
  }

  /**
   * Makes a queue that goes on at given indices, as vhost-user does.
   *
   * @param nextAvailable the index in the available ring of the next chain, 0 to 65535
   * @param nextUsed the index in the used ring of the next completion, 0 to 65535
   * @throws VirtqueueException as above
   */
  public Virtqueue(
      GuestMemory memory,
      int index,
      int size,
      long desc,
      long avail,
      long used,
      boolean eventIdx,
      boolean indirect,
      int nextAvailable,
      int nextUsed) {
    layout = new QueueLayout(memory, index, size, desc, avail, used, eventIdx);
    this.memory = memory;
    this.index = index;
    this.size = size;
    this.avail = avail;
    this.used = used;
    this.eventIdx = eventIdx;
    this.table = new DescriptorTable(memory, desc, size, indirect);
    this.free = new DescriptorChain[size];
    this.nextAvailable = nextAvailable & 0xffff;
    this.seenAvailable = this.nextAvailable;
    this.nextUsed = nextUsed & 0xffff;
  }

  /** Says whether a part of this queue shares memory with a part of {@code other}. */
  public boolean overlaps(Virtqueue other) {
    return layout.overlaps(other.layout);
  }

  /** Returns the number of the queue in its device. */
  public int index() {
    return index;
  }

  /** Returns the number of descriptors. */
  public int size() {
    return size;
  }

  /** Returns the index in the available ring of the next chain, 0 to 65535. */
  public int nextAvailable() {
    return nextAvailable;
  }

  /** Returns how many chains were given back because they broke a rule. */
  public long badChains() {
    return badChains;
  }

  /** Says whether the ring broke a rule, so that no chain will ever come again. Thread-safe. */
  public boolean broken() {
    return broken;
  }

  /**
   * Lets the queue end: from now on no chain comes, and completions are dropped. A device that is
   * working on the queue sees it run empty. Thread-safe, idempotent.
   */
  public void stop() {
    stopped = true;
  }

  /** Says whether {@link #stop()} was called. Thread-safe. */
  public boolean stopped() {
    return stopped;
  }

  /**
   * Returns the next chain that the driver made available, or null if there is none at the moment.
   * Gives back at most {@link #size} bad chains in one call.
   */
  public @Nullable DescriptorChain poll() {
    try {
      return next();
    } catch (GuestMemoryException e) {
      unseen(e);
      return null;
    }
  }

  private @Nullable DescriptorChain next() {
    for (int skipped = 0; skipped < size; skipped++) {
      if (stopped || broken || !available()) {
        return null;
      }
      if (held == size) {
        fail("has more chains outstanding than descriptors");
        return null;
      }
      int head = memory.loadShort(avail + 4 + 2L * (nextAvailable & size - 1)) & 0xffff;
      if (head >= size) {
        fail("has a head out of range");
        return null;
      }
      nextAvailable = nextAvailable + 1 & 0xffff;
      DescriptorChain chain = take();
      chain.begin(head);
      if (table.collect(chain)) {
        return chain;
      }
      badChains++;
      if (Long.bitCount(badChains) == 1) {
        LOG.debug("virtqueue {}: {} bad descriptor chains so far", index, badChains);
      }
      complete(chain, 0);
    }
    return null;
  }

  /** Loads the driver's index when the chains seen so far are used up. */
  private boolean available() {
    if (nextAvailable != seenAvailable) {
      return true;
    }
    // acquire; pairs with the driver's store-release of avail.idx, so that ring entries and
    // descriptors are seen as they were when it published them.
    seenAvailable = memory.loadShortAcquire(avail + 2) & 0xffff;
    int pending = seenAvailable - nextAvailable & 0xffff;
    if (pending > size) {
      fail("has an available index that jumped by " + pending);
      return false;
    }
    return pending != 0;
  }

  private void unseen(GuestMemoryException e) {
    fail("has a ring that the guest does not share: " + e.getMessage());
  }

  /** Serves the queue no more. */
  void fail(String problem) {
    if (!broken) {
      broken = true;
      LOG.debug("virtqueue {} {} and is not served any more", index, problem);
    }
  }

  private DescriptorChain take() {
    held++;
    if (freeCount > 0) {
      DescriptorChain chain = free[--freeCount];
      if (chain != null) {
        return chain;
      }
    }
    return new DescriptorChain(this, memory);
  }

  /**
   * Gives a chain back to the driver.
   *
   * @param bytesWritten how many bytes the device wrote from the start of the writable part on;
   *     what exceeds the part is cut off
   * @throws IllegalArgumentException if the chain is not held or is another queue's
   */
  public void complete(DescriptorChain chain, int bytesWritten) {
    if (chain.queue != this || !chain.held) {
      throw new IllegalArgumentException("a chain can be completed once and by its own queue only");
    }
    chain.held = false;
    held--;
    free[freeCount++] = chain;
    if (stopped) {
      return;
    }
    try {
      publish(chain, bytesWritten);
    } catch (GuestMemoryException e) {
      unseen(e);
    }
  }

  private void publish(DescriptorChain chain, int bytesWritten) {
    long element = used + 4 + 8L * (nextUsed & size - 1);
    memory.storeInt(element, chain.head());
    memory.storeInt(element + 4, (int) Math.min(Math.max(bytesWritten, 0), chain.writableLength()));
    nextUsed = nextUsed + 1 & 0xffff;
    unsignalled++;
    // release; pairs with the driver's load-acquire of used.idx, so that it sees the element and
    // the bytes of the buffers.
    memory.storeShortRelease(used + 2, (short) nextUsed);
  }

  /**
   * Says whether the driver wants an interrupt for the chains completed since the last call. Call
   * it after a batch, also when poll() returned nothing: it may have given back bad chains.
   */
  public boolean interruptNeeded() {
    int completed = unsignalled;
    if (completed == 0 || stopped) {
      return false;
    }
    unsignalled = 0;
    // Orders used.idx before the load of the driver's suppression; pairs with the full barrier of
    // the driver between its store of used_event (or avail.flags) and its re-check of used.idx.
    VarHandle.fullFence();
    try {
      if (!eventIdx) {
        return (memory.loadShort(avail) & NO_INTERRUPT) == 0;
      }
      int usedEvent = memory.loadShort(avail + 4 + 2L * size) & 0xffff;
      return (nextUsed - usedEvent - 1 & 0xffff) < completed;
    } catch (GuestMemoryException e) {
      unseen(e);
      return false;
    }
  }

  /**
   * Asks the driver for a notification of the next chain.
   *
   * @return whether there is a chain already, for which no notification may come: go on polling
   */
  public boolean enableNotifications() {
    if (stopped || broken) {
      return false;
    }
    try {
      if (eventIdx) {
        memory.storeShort(used + 4 + 8L * size, (short) nextAvailable);
      } else {
        memory.storeShort(used, (short) 0);
      }
      // Orders the store above before the load of avail.idx; pairs with the full barrier of the
      // driver between its store of avail.idx and its load of avail_event (or used.flags).
      VarHandle.fullFence();
      return available();
    } catch (GuestMemoryException e) {
      unseen(e);
      return false;
    }
  }

  /** Tells the driver that notifications are not needed; it may send them nevertheless. */
  public void disableNotifications() {
    if (stopped || broken) {
      return;
    }
    try {
      if (eventIdx) {
        // The index before the next: the driver's comparison fails until its indices wrap.
        memory.storeShort(used + 4 + 8L * size, (short) (nextAvailable - 1));
      } else {
        memory.storeShort(used, NO_NOTIFY);
      }
    } catch (GuestMemoryException e) {
      unseen(e);
    }
  }
}
