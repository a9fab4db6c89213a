package io.github.avf4j.virtio.vsock;

import io.github.avf4j.Cid;
import io.github.avf4j.virtio.InterruptLine;
import io.github.avf4j.virtio.queue.DescriptorChain;
import io.github.avf4j.virtio.queue.Virtqueue;
import io.github.avf4j.virtio.queue.VirtqueueException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Packets to the guest: fills the buffers of its rx queue, in turn for every connection that has
 * something to send.
 *
 * <p>Guarded by the device's lock.
 */
final class Outbound {
  /** How many packets a connection sends before the next one has its turn. */
  private static final int TURN = 16;

  /** After so many packets the guest is told, so that it works while the rest is copied. */
  private static final int TELL = 8;

  private final Cid guest;
  private final Refusals refusals;
  private final SendQueue senders;
  private final PacketHeader header = new PacketHeader();
  private @Nullable Virtqueue rx;
  private @Nullable InterruptLine interrupts;
  private boolean starved;
  private boolean hopeless;

  Outbound(Cid guest, Refusals refusals, SendQueue senders) {
    this.guest = guest;
    this.refusals = refusals;
    this.senders = senders;
  }

  void activate(@Nullable Virtqueue queue, InterruptLine line) {
    rx = queue;
    interrupts = line;
    starved = false;
    hopeless = false;
    if (queue != null) {
      queue.disableNotifications();
    }
  }

  void deactivate() {
    rx = null;
    interrupts = null;
  }

  /** Says whether the guest broke its queue, so that nothing can be sent any more. */
  boolean broken() {
    return rx != null && (hopeless || rx.broken());
  }

  /** Sends what there is as far as the guest has room, and tells it. */
  void pump() {
    Virtqueue queue = rx;
    if (queue == null || isIdle()) {
      return;
    }
    int turn = 0;
    int untold = 0;
    int useless = 0;
    while (!hopeless) {
      Connection sender = refusals.isEmpty() ? nextSender() : null;
      if (sender == null && refusals.isEmpty()) {
        break;
      }
      DescriptorChain chain = queue.poll();
      if (chain == null) {
        if (queue.enableNotifications()) {
          // A driver that makes bad chains as fast as they are given back must not hold the lock.
          hopeless = ++useless > 2 * queue.size();
          continue;
        }
        starved = true;
        break;
      }
      int length = fill(sender, chain);
      queue.complete(chain, length);
      hopeless = length == 0 && ++useless > 2 * queue.size();
      if (sender != null && ++turn >= TURN) {
        turn = 0;
        senders.rotate(sender);
      }
      if (++untold >= TELL) {
        untold = 0;
        tell(queue);
      }
    }
    if (starved && isIdle()) {
      starved = false;
      queue.disableNotifications();
    }
    tell(queue);
  }

  private boolean isIdle() {
    return senders.first() == null && refusals.isEmpty();
  }

  private void tell(Virtqueue queue) {
    if (queue.interruptNeeded() && interrupts != null) {
      interrupts.queueUsed(queue.index());
    }
  }

  /** Returns the first connection that can send; those before it wait for credit or are done. */
  private @Nullable Connection nextSender() {
    for (Connection candidate; (candidate = senders.first()) != null; ) {
      if (candidate.wantsAny() || candidate.hasData() && candidate.credit.free() > 0) {
        return candidate;
      }
      if (candidate.hasData() && !candidate.creditAsked) {
        candidate.creditAsked = true;
        candidate.want(Operation.CREDIT_REQUEST);
        return candidate;
      }
      senders.remove(candidate);
    }
    return null;
  }

  /** Writes one packet; returns its length, 0 if the chain has no room that can be written. */
  private int fill(@Nullable Connection sender, DescriptorChain chain) {
    try {
      return tryFill(sender, chain);
    } catch (VirtqueueException e) {
      // The guest does not share the buffer; the queue is broken and ends all connections.
      hopeless = true;
      return 0;
    }
  }

  private int tryFill(@Nullable Connection sender, DescriptorChain chain) {
    int room = (int) Math.min(chain.writableLength() - PacketHeader.LENGTH, PacketHeader.MAX_DATA);
    if (room < 0) {
      return 0;
    }
    if (sender == null) {
      header.set(guest, refusals.key(), 0, refusals.type(), Operation.RST, /* flags= */ 0, 0, 0);
      header.store(chain);
      refusals.remove();
      return PacketHeader.LENGTH;
    }
    return sender.wantsAny() ? fillControl(sender, chain) : fillData(sender, chain, room);
  }

  private int fillControl(Connection sender, DescriptorChain chain) {
    Operation operation = sender.nextWanted();
    int flags = 0;
    if (operation == Operation.SHUTDOWN) {
      flags = PacketHeader.NO_SEND | (sender.closed ? PacketHeader.NO_RECEIVE : 0);
    }
    store(sender, chain, operation, 0, flags);
    sender.noLongerWant(operation);
    return PacketHeader.LENGTH;
  }

  private int fillData(Connection sender, DescriptorChain chain, int room) {
    ByteBuffer source = sender.source;
    if (room == 0 || source == null) {
      return 0;
    }
    int length = Math.min(Math.min(room, sender.credit.free()), source.remaining());
    store(sender, chain, Operation.RW, length, 0);
    int limit = source.limit();
    source.limit(source.position() + length);
    chain.write(source);
    source.limit(limit);
    sender.credit.sent(length);
    sender.creditAsked = false;
    if (!source.hasRemaining()) {
      sender.endWrite();
    }
    return PacketHeader.LENGTH + length;
  }

  private void store(
      Connection sender, DescriptorChain chain, Operation operation, int length, int flags) {
    header.set(
        guest,
        sender.key,
        length,
        PacketHeader.STREAM,
        operation,
        flags,
        sender.credit.buffer(),
        sender.credit.tellForwarded());
    header.store(chain);
    // Every packet tells the credit.
    sender.noLongerWant(Operation.CREDIT_UPDATE);
  }
}
