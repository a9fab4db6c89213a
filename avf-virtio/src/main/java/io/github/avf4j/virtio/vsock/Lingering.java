package io.github.avf4j.virtio.vsock;

import java.time.Duration;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Connections that the host's program has closed and of which the guest has not let go yet. Resets
 * those that wait for too long.
 *
 * <p>All devices share one thread, which comes with the first such connection and goes when there
 * has been none for some seconds. Guarded by the device's lock.
 */
final class Lingering {
  private static final int IDLE_SECONDS = 5;

  private final Muxer muxer;
  private final Connections owner;
  private final long nanos;

  /** In the order in which they come to their end. */
  private final Set<Connection> connections = new LinkedHashSet<>();

  private boolean scheduled;

  Lingering(Muxer muxer, Connections owner, Duration time) {
    this.muxer = muxer;
    this.owner = owner;
    this.nanos = time.toNanos();
  }

  void add(Connection connection) {
    connection.lingerDeadline = System.nanoTime() + nanos;
    connections.add(connection);
    schedule(nanos);
  }

  void remove(Connection connection) {
    connections.remove(connection);
  }

  /** Runs {@code work} on the shared thread. */
  static void execute(Runnable work) {
    Timer.SHARED.execute(work);
  }

  private void schedule(long delay) {
    if (!scheduled) {
      scheduled = true;
      Timer.SHARED.schedule(this::expire, delay, TimeUnit.NANOSECONDS);
    }
  }

  private void expire() {
    muxer.enter();
    try {
      scheduled = false;
      Iterator<Connection> all = connections.iterator();
      while (all.hasNext()) {
        Connection connection = all.next();
        long left = connection.lingerDeadline - System.nanoTime();
        if (left > 0) {
          schedule(left);
          return;
        }
        all.remove();
        owner.reset(connection, "the guest did not answer the close in time");
      }
    } finally {
      muxer.exit();
    }
  }

  /** Holds the thread, which is not made before it is needed. */
  private static final class Timer {
    static final ScheduledThreadPoolExecutor SHARED = make();

    private static ScheduledThreadPoolExecutor make() {
      ScheduledThreadPoolExecutor timer =
          new ScheduledThreadPoolExecutor(
              1,
              task -> {
                Thread thread = new Thread(task, "avf-vsock-timer");
                thread.setDaemon(true);
                return thread;
              });
      timer.setKeepAliveTime(IDLE_SECONDS, TimeUnit.SECONDS);
      timer.allowCoreThreadTimeOut(true);
      return timer;
    }
  }
}
