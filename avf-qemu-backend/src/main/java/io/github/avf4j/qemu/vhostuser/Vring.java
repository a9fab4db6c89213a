package io.github.avf4j.qemu.vhostuser;

import io.github.avf4j.linux.EventFd;
import io.github.avf4j.virtio.TransportFeatures;
import io.github.avf4j.virtio.memory.GuestMemory;
import io.github.avf4j.virtio.queue.Virtqueue;
import org.jspecify.annotations.Nullable;

/**
 * What the front-end has said about one virtqueue.
 *
 * <p>Confined to the event loop, except {@link #interrupt()}.
 */
final class Vring implements AutoCloseable {
  private final int index;
  private final int maxSize;
  private int size;
  private int base;
  private boolean addressed;
  private boolean enabled;
  private long desc;
  private long used;
  private long avail;
  private @Nullable EventFd kick;
  private volatile @Nullable EventFd call;
  private @Nullable EventFd error;
  private @Nullable Virtqueue queue;

  Vring(int index, int maxSize) {
    this.index = index;
    this.maxSize = maxSize;
  }

  int index() {
    return index;
  }

  void size(int value) {
    if (value < 1 || value > maxSize || Integer.bitCount(value) != 1) {
      throw new VhostUserException(
          "the size of queue "
              + index
              + " must be a power of two up to "
              + maxSize
              + " but was "
              + value);
    }
    size = value;
  }

  void base(int value) {
    if (value < 0 || value > 0xffff) {
      throw new VhostUserException(
          "the base of queue " + index + " must be in 0..65535 but was " + value);
    }
    base = value;
  }

  /** Takes addresses in the front-end's process. */
  void addresses(long userDesc, long userUsed, long userAvail) {
    desc = userDesc;
    used = userUsed;
    avail = userAvail;
    addressed = true;
  }

  void enabled(boolean value) {
    enabled = value;
  }

  /** Returns the eventfd that tells of new chains. */
  @Nullable EventFd kick() {
    return kick;
  }

  /** Takes over {@code eventFd}; the old one must be out of the event loop. */
  void kick(@Nullable EventFd eventFd) {
    replace(kick, eventFd);
    kick = eventFd;
  }

  /** Takes over {@code eventFd} as the guest's interrupt. */
  void call(@Nullable EventFd eventFd) {
    EventFd old = call;
    call = eventFd;
    replace(old, eventFd);
  }

  /** Takes over {@code eventFd}, by which the front-end hears that the queue is broken. */
  void error(@Nullable EventFd eventFd) {
    replace(error, eventFd);
    error = eventFd;
  }

  private static void replace(@Nullable EventFd old, @Nullable EventFd next) {
    if (old != null && old != next) {
      old.close();
    }
  }

  /**
   * Interrupts the guest. Thread-safe; a signal to an eventfd that was closed meanwhile is lost.
   */
  void interrupt() {
    EventFd eventFd = call;
    if (eventFd != null) {
      eventFd.signal();
    }
  }

  /** Tells the front-end that the queue cannot be used. */
  void reportError() {
    if (error != null) {
      error.signal();
    }
  }

  /** Returns whether all is known that the queue needs to run. */
  boolean isReady() {
    return size > 0 && addressed && enabled && kick != null;
  }

  /**
   * Makes the queue.
   *
   * @throws io.github.avf4j.virtio.queue.VirtqueueException if its geometry is not legal
   * @throws VhostUserException if an address is not guest memory
   */
  Virtqueue open(MemoryTable table, long features) {
    GuestMemory memory = table.memory();
    long guestUsed = table.toGuest(used);
    if (!memory.contains(guestUsed, 4) || (guestUsed & 3) != 0) {
      throw new VhostUserException("the used ring of queue " + index + " is not in guest memory");
    }
    int nextUsed = memory.loadShortAcquire(guestUsed + 2) & 0xffff;
    Virtqueue opened =
        new Virtqueue(
            memory,
            index,
            size,
            table.toGuest(desc),
            table.toGuest(avail),
            guestUsed,
            (features & TransportFeatures.EVENT_IDX) != 0,
            (features & TransportFeatures.INDIRECT_DESC) != 0,
            base,
            nextUsed);
    queue = opened;
    return opened;
  }

  /** Ends the queue and keeps its index for a later start; nobody must touch it any more. */
  void stop() {
    if (queue != null) {
      queue.stop();
      base = queue.nextAvailable();
      queue = null;
    }
  }

  /** Returns the index of the next chain. */
  int base() {
    return base;
  }

  @Override
  public void close() {
    queue = null;
    kick(null);
    call(null);
    error(null);
  }
}
