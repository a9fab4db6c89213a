package io.github.avf4j.virtio.vsock;

import io.github.avf4j.VsockChannel;
import io.github.avf4j.VsockConnectException;
import io.github.avf4j.VsockConnectException.Cause;
import io.github.avf4j.VsockListener;
import io.github.avf4j.spi.VsockHost;
import java.time.Duration;
import java.util.Locale;

/** What the host's program sees of the device. Thread-safe. */
final class HostEnd implements VsockHost {
  private final Muxer muxer;

  HostEnd(Muxer muxer) {
    this.muxer = muxer;
  }

  @Override
  public VsockChannel connect(long port, Duration timeout) {
    requirePort(port);
    long deadline = System.nanoTime() + nanos(timeout);
    Connection connection;
    muxer.enter();
    try {
      connection = muxer.connections().connect(port);
      connection.writer.arm();
    } finally {
      muxer.exit();
    }
    connection.writer.awaitUntil(deadline);
    muxer.enter();
    try {
      connection.writer.disarm();
      if (connection.established) {
        return new HostChannel(muxer, connection);
      }
      if (connection.stage == Connection.Stage.GONE) {
        throw ended(connection, port);
      }
      muxer.connections().withdraw(connection);
    } finally {
      muxer.exit();
    }
    throw new VsockConnectException(
        Cause.TIMED_OUT,
        port,
        Thread.currentThread().isInterrupted()
            ? "the thread was interrupted while it connected to port " + port + " of the guest"
            : String.format(
                Locale.ROOT,
                "port %d of the guest did not answer within %d ms: wait until the guest is up, or"
                    + " allow more time",
                port,
                timeout.toMillis()));
  }

  private VsockConnectException ended(Connection connection, long port) {
    if (muxer.ended()) {
      return new VsockConnectException(
          Cause.STOPPED, port, "cannot connect to port " + port + ": the machine has stopped");
    }
    return new VsockConnectException(
        Cause.REFUSED,
        port,
        String.format(
            Locale.ROOT,
            "port %d of the guest refused the connection (%s): start what listens there first",
            port,
            connection.failure));
  }

  @Override
  public VsockListener listen(long port) {
    requirePort(port);
    muxer.enter();
    try {
      return muxer.connections().listen(port);
    } finally {
      muxer.exit();
    }
  }

  private static void requirePort(long port) {
    if (port < 0 || port > 0xffff_ffffL) {
      throw new IllegalArgumentException("a vsock port must be in 0..4294967295 but was " + port);
    }
  }

  /** Returns the duration in nanoseconds, at most some hundred years. */
  static long nanos(Duration duration) {
    Duration most = Duration.ofNanos(Long.MAX_VALUE / 2);
    return duration.compareTo(most) < 0 ? Math.max(0, duration.toNanos()) : most.toNanos();
  }
}
