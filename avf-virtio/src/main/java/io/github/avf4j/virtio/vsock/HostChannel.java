package io.github.avf4j.virtio.vsock;

import io.github.avf4j.VsockChannel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.InterruptibleChannel;
import java.util.Objects;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The host's end of a stream. Thread-safe: readers take turns, and so do writers.
 *
 * <p>A thread first does the work itself. If it cannot, it leaves its buffer to whichever thread
 * finds data or room, and waits.
 */
final class HostChannel implements VsockChannel, InterruptibleChannel {
  private final Muxer muxer;
  private final Connection connection;
  private final ReentrantLock reading = new ReentrantLock();
  private final ReentrantLock writing = new ReentrantLock();

  HostChannel(Muxer muxer, Connection connection) {
    this.muxer = muxer;
    this.connection = connection;
  }

  @Override
  public long guestPort() {
    return connection.guestPort();
  }

  @Override
  public long hostPort() {
    return connection.hostPort();
  }

  @Override
  public int read(ByteBuffer target) throws IOException {
    if (target.isReadOnly()) {
      throw new IllegalArgumentException("the target must not be read-only");
    }
    reading.lock();
    try {
      boolean waited = false;
      while (true) {
        int count = tryRead(target, waited);
        if (count != 0 || !target.hasRemaining()) {
          return count;
        }
        waited = true;
        boolean interrupted = !muxer.await(connection.reader);
        if (interrupted) {
          abandonRead();
        }
        if (connection.readCount > 0) {
          target.position(target.position() + connection.readCount);
          return connection.readCount;
        }
        if (interrupted) {
          throw new ClosedByInterruptException();
        }
      }
    } finally {
      reading.unlock();
    }
  }

  /** Returns how many bytes were read, -1 at the end, or 0 after leaving the buffer to others. */
  private int tryRead(ByteBuffer target, boolean waited) throws IOException {
    muxer.enter();
    try {
      requireOpen(waited);
      if (!target.hasRemaining()) {
        return 0;
      }
      int count = take(target);
      if (count != 0) {
        return count;
      }
      muxer.help();
      count = take(target);
      if (count == 0) {
        connection.readCount = 0;
        connection.target = target.duplicate();
        connection.reader.arm();
      }
      return count;
    } finally {
      muxer.exit();
    }
  }

  private int take(ByteBuffer target) throws IOException {
    int count = connection.take(target);
    if (count > 0) {
      if (connection.stage == Connection.Stage.OPEN && connection.credit.updateDue()) {
        muxer.connections().send(connection, Operation.CREDIT_UPDATE);
      }
      return count;
    }
    if (connection.guestSendsNoMore) {
      return -1;
    }
    requireAlive();
    return 0;
  }

  private void abandonRead() {
    muxer.enter();
    try {
      connection.target = null;
      connection.reader.disarm();
      if (connection.readCount == 0) {
        shut();
      }
    } finally {
      muxer.exit();
    }
  }

  @Override
  public int write(ByteBuffer source) throws IOException {
    Objects.requireNonNull(source, "source");
    writing.lock();
    try {
      int total = source.remaining();
      boolean waited = false;
      for (ByteBuffer rest; (rest = tryWrite(source, waited)) != null; ) {
        waited = true;
        boolean interrupted = !muxer.await(connection.writer);
        if (interrupted) {
          abandonWrite(rest);
        }
        source.position(rest.position());
        if (interrupted && source.hasRemaining()) {
          throw new ClosedByInterruptException();
        }
      }
      return total;
    } finally {
      writing.unlock();
    }
  }

  /** Returns what was left to others, whose position tells how far they come; null for nothing. */
  private @Nullable ByteBuffer tryWrite(ByteBuffer source, boolean waited) throws IOException {
    muxer.enter();
    try {
      if (waited && !source.hasRemaining()) {
        return null;
      }
      requireWritable(waited);
      if (!source.hasRemaining()) {
        return null;
      }
      connection.source = source;
      muxer.connections().enqueue(connection);
      muxer.pump();
      if (source.hasRemaining()) {
        muxer.help();
        muxer.pump();
      }
      if (!source.hasRemaining()) {
        connection.source = null;
        return null;
      }
      ByteBuffer rest = source.duplicate();
      // A packet that came just now may have ended the connection; then there is nobody to wait
      // for.
      if (connection.source != null) {
        connection.source = rest;
        connection.writer.arm();
      }
      return rest;
    } finally {
      muxer.exit();
    }
  }

  private void requireWritable(boolean waited) throws IOException {
    requireOpen(waited);
    if (connection.outputShut) {
      throw waited ? new AsynchronousCloseException() : new ClosedChannelException();
    }
    requireAlive();
    if (connection.guestReceivesNoMore) {
      throw new IOException("the guest reads no more from this connection (" + connection + ')');
    }
  }

  private void abandonWrite(ByteBuffer rest) {
    muxer.enter();
    try {
      connection.source = null;
      connection.writer.disarm();
      if (rest.hasRemaining()) {
        shut();
      }
    } finally {
      muxer.exit();
    }
  }

  @Override
  public void shutdownOutput() throws IOException {
    muxer.enter();
    try {
      requireOpen(false);
      if (connection.outputShut) {
        return;
      }
      if (connection.guestReceivesNoMore && connection.guestSendsNoMore) {
        // A guest that answers and closes may be quicker than a host that says it is done.
        connection.outputShut = true;
        return;
      }
      requireAlive();
      connection.outputShut = true;
      connection.endWrite();
      muxer.connections().send(connection, Operation.SHUTDOWN);
    } finally {
      muxer.exit();
    }
  }

  @Override
  public boolean isOpen() {
    muxer.enter();
    try {
      return !connection.closed;
    } finally {
      muxer.exit();
    }
  }

  @Override
  public void close() {
    muxer.enter();
    try {
      shut();
    } finally {
      muxer.exit();
    }
  }

  /** Closes under the lock; threads that wait find out. */
  private void shut() {
    if (connection.closed) {
      return;
    }
    connection.closed = true;
    connection.endRead();
    connection.endWrite();
    connection.discardUnread();
    if (connection.stage == Connection.Stage.OPEN) {
      muxer.connections().linger(connection);
    }
  }

  private void requireOpen(boolean waited) throws IOException {
    if (connection.closed) {
      throw waited ? new AsynchronousCloseException() : new ClosedChannelException();
    }
    if (Thread.currentThread().isInterrupted()) {
      shut();
      throw new ClosedByInterruptException();
    }
  }

  private void requireAlive() throws IOException {
    String failure = connection.failure;
    if (failure != null) {
      throw new IOException(failure + " (" + connection + ')');
    }
  }

  @Override
  public String toString() {
    return "vsock channel of " + connection;
  }
}
