package io.github.avf4j.virtio.vsock;

import io.github.avf4j.VsockChannel;
import io.github.avf4j.VsockListener;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.concurrent.locks.Condition;

/** A port of the host on which the guest's connections are taken. Thread-safe. */
final class HostListener implements VsockListener {
  private final Muxer muxer;
  private final int port;
  private final int backlog;
  private final Condition changed;
  private final Deque<Connection> waiting = new ArrayDeque<>();
  private boolean closed;

  HostListener(Muxer muxer, int port, int backlog) {
    this.muxer = muxer;
    this.port = port;
    this.backlog = backlog;
    this.changed = muxer.newCondition();
  }

  @Override
  public long port() {
    return port & 0xffff_ffffL;
  }

  @Override
  public Optional<VsockChannel> accept(Duration timeout) throws InterruptedException {
    if (Thread.interrupted()) {
      throw new InterruptedException();
    }
    long left = HostEnd.nanos(timeout);
    muxer.enter();
    try {
      while (waiting.isEmpty() && !closed && left > 0) {
        left = changed.awaitNanos(left);
      }
      Connection connection = waiting.poll();
      if (connection == null) {
        return Optional.empty();
      }
      muxer.connections().accepted(connection);
      return Optional.of(new HostChannel(muxer, connection));
    } finally {
      muxer.exit();
    }
  }

  @Override
  public void close() {
    muxer.enter();
    try {
      if (!closed) {
        muxer.connections().unlisten(this);
        for (Connection connection : waiting) {
          connection.backlog = null;
          if (connection.stage == Connection.Stage.OPEN) {
            muxer.connections().reset(connection, "the host has closed the listener");
          }
          connection.discardUnread();
        }
        end();
      }
    } finally {
      muxer.exit();
    }
  }

  // All that follows needs the device's lock.

  boolean isFull() {
    return waiting.size() >= backlog;
  }

  void add(Connection connection) {
    connection.backlog = this;
    waiting.add(connection);
    changed.signal();
  }

  /** Takes a connection back that the guest has reset before it was accepted. */
  void remove(Connection connection) {
    if (waiting.remove(connection)) {
      connection.backlog = null;
      connection.discardUnread();
    }
  }

  /** Wakes all that accept; what waits was dealt with. */
  void end() {
    closed = true;
    for (Connection connection : waiting) {
      connection.discardUnread();
    }
    waiting.clear();
    changed.signalAll();
  }

  @Override
  public String toString() {
    return "vsock listener on host port " + port();
  }
}
