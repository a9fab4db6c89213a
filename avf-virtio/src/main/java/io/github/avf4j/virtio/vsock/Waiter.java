package io.github.avf4j.virtio.vsock;

import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A thread that waits until another one has done its work for it.
 *
 * <p>Armed and signalled under the device's lock, awaited without it: the thread that wakes up
 * finds the result and need not take the lock.
 */
final class Waiter {
  private static final int MAX_SKIPS = 256;

  // A signal is a release, seeing it an acquire: what was done before is seen after.
  private volatile boolean done = true;
  private volatile @Nullable Thread thread;

  /** How many waits are not worth polling from now on; confined to the waiting thread. */
  private int skips;

  private int lastSkips;

  /** Makes the calling thread the one that waits. */
  void arm() {
    thread = Thread.currentThread();
    done = false;
  }

  /** Ends the wait, if there is one. */
  void signal() {
    if (!done) {
      Thread waiting = thread;
      done = true;
      if (waiting != Thread.currentThread()) {
        LockSupport.unpark(waiting);
      }
    }
  }

  /** Ends a wait that the waiting thread itself gives up. */
  void disarm() {
    done = true;
  }

  boolean isDone() {
    return done;
  }

  /** Says whether polling may pay, going by how it did lately. */
  boolean pollingPays() {
    return skips == 0 || --skips == 0;
  }

  /** Notes whether the signal came while the thread polled. */
  void polled(boolean success) {
    lastSkips = success ? 0 : Math.min(MAX_SKIPS, Math.max(1, lastSkips * 2));
    skips = lastSkips;
  }

  /** Waits for the signal; false if the thread was interrupted, and then it still is. */
  boolean await() {
    while (!done) {
      if (Thread.currentThread().isInterrupted()) {
        return done;
      }
      LockSupport.park(this);
    }
    return true;
  }

  /** Waits for the signal; false if it did not come before {@code deadline} or an interrupt. */
  boolean awaitUntil(long deadline) {
    while (!done) {
      long left = deadline - System.nanoTime();
      if (left <= 0 || Thread.currentThread().isInterrupted()) {
        return done;
      }
      LockSupport.parkNanos(this, left);
    }
    return true;
  }
}
