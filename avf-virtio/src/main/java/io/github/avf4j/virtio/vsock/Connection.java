package io.github.avf4j.virtio.vsock;

import io.github.avf4j.virtio.queue.DescriptorChain;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * What the device knows of one stream.
 *
 * <p>Guarded by the device's lock, but for the two waiters.
 */
final class Connection {
  /** How far a connection has come. */
  enum Stage {
    /** The host has asked; the guest has not answered yet. */
    CONNECTING,
    /** Bytes may flow. */
    OPEN,
    /** The host's program has closed it; the guest's answer is awaited. */
    LINGERING,
    /** The device has forgotten it; bytes that came before may still be read. */
    GONE
  }

  final long key;
  final Credit credit;
  final Waiter reader = new Waiter();
  final Waiter writer = new Waiter();

  Stage stage;

  /** Whether it was ever open. */
  boolean established;

  /** Whether the host's program has closed it. */
  boolean closed;

  /** Whether the host's program sends no more. */
  boolean outputShut;

  boolean guestSendsNoMore;
  boolean guestReceivesNoMore;

  /** Why it ended other than by the host's program; null while it has not. */
  @Nullable String failure;

  /** The listener in whose backlog it is. */
  @Nullable HostListener backlog;

  /** When a lingering connection is reset, in the time of {@link System#nanoTime}. */
  long lingerDeadline;

  /** What a writer that waits still has to send. */
  @Nullable ByteBuffer source;

  /** Whether the guest was asked for credit since it last gave any. */
  boolean creditAsked;

  /** Where a reader that waits wants its bytes. */
  @Nullable ByteBuffer target;

  /** How many bytes the last reader that waited got. */
  int readCount;

  /** Whether it is in the {@link SendQueue}, and its neighbours there. */
  boolean queued;

  @Nullable Connection nextToSend;
  @Nullable Connection previousToSend;

  private final ByteQueue unread;
  private int wanted;

  Connection(long key, Stage stage, int buffer, ByteQueue.Pool pool) {
    this.key = key;
    this.stage = stage;
    this.established = stage == Stage.OPEN;
    this.credit = new Credit(buffer);
    this.unread = new ByteQueue(pool);
  }

  long hostPort() {
    return key >>> 32;
  }

  long guestPort() {
    return key & 0xffff_ffffL;
  }

  /** Notes that a packet is to be sent; twice is once. */
  void want(Operation operation) {
    wanted |= 1 << operation.number();
  }

  boolean wants(Operation operation) {
    return (wanted & 1 << operation.number()) != 0;
  }

  boolean wantsAny() {
    return wanted != 0;
  }

  /** Returns the packet to send first: by number, an answer or question before a farewell. */
  Operation nextWanted() {
    Operation operation = Operation.of(Integer.numberOfTrailingZeros(wanted));
    if (operation == null) {
      throw new IllegalStateException("nothing is to be sent");
    }
    return operation;
  }

  void noLongerWant(Operation operation) {
    wanted &= ~(1 << operation.number());
  }

  void wantNothing() {
    wanted = 0;
  }

  boolean hasData() {
    return source != null && source.hasRemaining();
  }

  /** Moves unread bytes to the target; returns how many. */
  int take(ByteBuffer to) {
    int taken = unread.drainTo(to);
    credit.forwarded(taken);
    return taken;
  }

  /**
   * Takes the next {@code length} bytes of a chain, straight into the buffer of a reader that
   * waits, as far as it goes.
   *
   * @return whether the guest had the credit
   */
  boolean deliver(DescriptorChain chain, int length) {
    if (!credit.received(length)) {
      return false;
    }
    int direct = 0;
    ByteBuffer to = target;
    if (to != null) {
      direct = Math.min(length, to.remaining());
      int limit = to.limit();
      to.limit(to.position() + direct);
      chain.read(to);
      to.limit(limit);
      readCount += direct;
      credit.forwarded(direct);
    }
    if (direct < length) {
      unread.add(chain, length - direct);
    }
    return true;
  }

  /** Wakes the reader, which finds {@link #readCount}. */
  void endRead() {
    target = null;
    reader.signal();
  }

  /** Wakes the writer, which finds out by its buffer how far it came. */
  void endWrite() {
    source = null;
    writer.signal();
  }

  /** Ends the connection for both threads; the first reason stays. */
  void end(String why) {
    if (failure == null) {
      failure = why;
    }
    endRead();
    endWrite();
  }

  /** Forgets what nobody will read. */
  void discardUnread() {
    credit.forwarded(unread.size());
    unread.clear();
  }

  @Override
  public String toString() {
    return "host port " + hostPort() + ", guest port " + guestPort();
  }
}
