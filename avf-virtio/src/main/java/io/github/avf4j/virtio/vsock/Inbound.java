package io.github.avf4j.virtio.vsock;

import io.github.avf4j.Cid;
import io.github.avf4j.virtio.InterruptLine;
import io.github.avf4j.virtio.queue.DescriptorChain;
import io.github.avf4j.virtio.queue.Virtqueue;
import io.github.avf4j.virtio.queue.VirtqueueException;
import io.github.avf4j.virtio.vsock.Connection.Stage;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Packets of the guest: empties its tx queue, checks what it says, and gives data to those that
 * wait for it.
 *
 * <p>Guarded by the device's lock.
 */
final class Inbound {
  private static final Logger LOG = LoggerFactory.getLogger(Inbound.class);

  /** How many packets are taken before another thread may have the lock. */
  private static final int TURN = 64;

  /** And how many bytes, about. */
  private static final int TURN_BYTES = 256 << 10;

  private final Cid guest;
  private final Connections connections;
  private final Refusals refusals;
  private final Outbound outbound;
  private final PacketHeader header = new PacketHeader();

  /** Connections whose readers got something in this turn. */
  private final List<Connection> fed = new ArrayList<>();

  private @Nullable Virtqueue tx;
  private @Nullable InterruptLine interrupts;
  private boolean paused;

  /** Whether a thread looks for packets itself, so that notifications would be in vain. */
  private boolean polled;

  private long dropped;

  Inbound(Cid guest, Connections connections, Refusals refusals, Outbound outbound) {
    this.guest = guest;
    this.connections = connections;
    this.refusals = refusals;
    this.outbound = outbound;
  }

  void activate(@Nullable Virtqueue queue, InterruptLine line) {
    tx = queue;
    interrupts = line;
    paused = false;
  }

  void deactivate() {
    tx = null;
    interrupts = null;
  }

  boolean broken() {
    return tx != null && tx.broken();
  }

  /** Says whether packets wait until the guest has made room for the answers to earlier ones. */
  boolean paused() {
    return paused;
  }

  /** Returns how many packets were not addressed to the host, or were none at all. */
  long dropped() {
    return dropped;
  }

  /**
   * Takes a turn of packets and, if that was all, asks for a notification of the next.
   *
   * @return whether there is more
   */
  boolean serve() {
    Virtqueue queue = tx;
    if (queue == null) {
      return false;
    }
    return drain(TURN) || !paused && !polled && queue.enableNotifications();
  }

  /**
   * Asks for no notifications until {@link #endPolling}; the caller calls {@link #help} often.
   *
   * @return false if another thread polls already, which does the work for all
   */
  boolean beginPolling() {
    if (polled) {
      return false;
    }
    polled = true;
    if (tx != null) {
      tx.disableNotifications();
    }
    return true;
  }

  /** Asks for notifications again; returns whether there is more already. */
  boolean endPolling() {
    polled = false;
    return serve();
  }

  /**
   * Takes what is there, at most a turn. What is left is taken by {@link #serve}: the notification
   * of it is under way, or who polls will serve.
   */
  void help() {
    if (!paused) {
      drain(TURN);
    }
  }

  /** Takes all that the driver made available before it ended the device; answers none. */
  void drainLast() {
    Virtqueue queue = tx;
    for (int left = queue == null ? 0 : queue.size(); left > 0; left--) {
      drain(1);
    }
  }

  /** Wakes the readers that got something, and tells the driver which buffers it has back. */
  void finish() {
    for (int i = 0; i < fed.size(); i++) {
      Connection connection = fed.get(i);
      if (connection.target != null) {
        connection.endRead();
      }
    }
    fed.clear();
    if (tx != null && interrupts != null && tx.interruptNeeded()) {
      interrupts.queueUsed(tx.index());
    }
  }

  private boolean drain(int most) {
    Virtqueue queue = tx;
    paused = false;
    long bytes = 0;
    for (int i = 0; queue != null && i < most && bytes < TURN_BYTES; i++) {
      if (refusals.isHigh() && !makeRoom()) {
        paused = true;
        return false;
      }
      DescriptorChain chain = queue.poll();
      if (chain == null) {
        return false;
      }
      bytes += chain.readableLength();
      try {
        take(chain);
      } catch (VirtqueueException e) {
        // The guest does not share a buffer; the queue is broken and ends all connections.
        drop();
      }
      queue.complete(chain, 0);
    }
    return queue != null;
  }

  private boolean makeRoom() {
    outbound.pump();
    return !refusals.isHigh();
  }

  private void take(DescriptorChain chain) {
    if (!header.load(chain)
        || header.sourceCid() != guest.value()
        || header.targetCid() != Cid.HOST) {
      drop();
      return;
    }
    Operation operation = Operation.of(header.operation());
    long key = header.keyFromGuest();
    if (header.type() != PacketHeader.STREAM) {
      if (operation != Operation.RST) {
        refusals.add(key, header.type());
      }
      return;
    }
    Connection connection = connections.find(key);
    if (connection == null) {
      takeStray(operation, key);
    } else if (operation == null) {
      connections.reset(connection, "the guest sent a packet of an unknown kind");
    } else if (operation == Operation.RST) {
      connections.forget(connection, "the guest has reset the connection");
    } else if (!connection.credit.update(header.bufferSize(), header.forwarded())) {
      connections.reset(connection, "the guest claims to have read more than was sent");
    } else {
      take(connection, operation, chain);
    }
  }

  private void drop() {
    if (Long.bitCount(++dropped) == 1) {
      LOG.warn("vsock of guest {}: {} packets so far were malformed or to nobody", guest, dropped);
    }
  }

  private void takeStray(@Nullable Operation operation, long key) {
    if (operation == Operation.RST) {
      return;
    }
    if (operation != Operation.REQUEST
        || !connections.acceptFromGuest(key, header.bufferSize(), header.forwarded())) {
      refusals.add(key, PacketHeader.STREAM);
    }
  }

  private void take(Connection connection, Operation operation, DescriptorChain chain) {
    switch (operation) {
      case REQUEST -> takeRequest(connection);
      case RESPONSE -> takeResponse(connection);
      case SHUTDOWN -> takeShutdown(connection, header.flags());
      case RW -> takeData(connection, chain, header.length());
      case CREDIT_REQUEST -> connections.send(connection, Operation.CREDIT_UPDATE);
      default -> {}
    }
    if (connection.hasData()) {
      connections.enqueue(connection);
    }
  }

  /** A request for a connection that there is: the guest has forgotten the old one. */
  private void takeRequest(Connection connection) {
    boolean lingering = connection.stage == Stage.LINGERING;
    connections.forget(connection, "the guest has forgotten the connection");
    if (!lingering
        || !connections.acceptFromGuest(connection.key, header.bufferSize(), header.forwarded())) {
      refusals.add(connection.key, PacketHeader.STREAM);
    }
  }

  private void takeResponse(Connection connection) {
    if (connection.stage == Stage.CONNECTING && !connection.wants(Operation.REQUEST)) {
      connection.stage = Stage.OPEN;
      connection.established = true;
      connection.writer.signal();
    } else if (connection.stage != Stage.LINGERING) {
      connections.reset(connection, "the guest answered what was not asked");
    }
  }

  private void takeShutdown(Connection connection, int flags) {
    connection.guestReceivesNoMore |= (flags & PacketHeader.NO_RECEIVE) != 0;
    connection.guestSendsNoMore |= (flags & PacketHeader.NO_SEND) != 0;
    if (connection.guestReceivesNoMore && connection.guestSendsNoMore) {
      // Nothing can follow; the RST lets the guest forget the connection at once.
      connections.reset(connection, "the guest has closed the connection");
    } else if (connection.stage == Stage.CONNECTING) {
      connections.reset(connection, "the guest closed what was not open");
    } else {
      if (connection.guestSendsNoMore) {
        connection.endRead();
      }
      if (connection.guestReceivesNoMore) {
        connection.endWrite();
      }
    }
  }

  private void takeData(Connection connection, DescriptorChain chain, long length) {
    if (connection.stage == Stage.LINGERING) {
      return;
    }
    if (connection.stage == Stage.CONNECTING || connection.guestSendsNoMore) {
      connections.reset(connection, "the guest sent data when it must not");
    } else if (length > PacketHeader.MAX_DATA || length > chain.readRemaining()) {
      connections.reset(connection, "the guest sent a packet whose length is wrong");
    } else if (!connection.deliver(chain, (int) length)) {
      connections.reset(connection, "the guest sent more data than there was room for");
    } else {
      wakeReader(connection);
      if (connection.credit.updateDue()) {
        connections.send(connection, Operation.CREDIT_UPDATE);
      }
    }
  }

  private void wakeReader(Connection connection) {
    if (connection.target == null) {
      return;
    }
    if (!connection.target.hasRemaining()) {
      connection.endRead();
    } else if (connection.readCount > 0) {
      // Packets that follow in this turn may fill more of the reader's buffer.
      fed.add(connection);
    }
  }
}
