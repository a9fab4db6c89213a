package io.github.avf4j.virtio.vsock;

import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A thread that waits until another one has done its work for it.
 *
 * <p>Armed and signalled under the device's lock, awaited without it: the thread that wakes up finds
 * the result and need not take the lock.
 */
final class Waiter {
  /** A few microseconds; on one CPU nobody could do the work meanwhile. */
  private static final int MAX_SPINS = Runtime.getRuntime().availableProcessors() > 1 ? 64 : 0;

  // A signal is a release, seeing it an acquire: what was done before is seen after.
  private volatile boolean done = true;
  private volatile @Nullable Thread thread;

  /** Halves with each spin that was in vain and doubles with each that was not. */
  private int spins = MAX_SPINS / 4;

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
      LockSupport.unpark(waiting);
    }
  }

  /** Ends a wait that the waiting thread itself gives up. */
  void disarm() {
    done = true;
  }

  /** Waits for the signal; false if the thread was interrupted, and then it still is. */
  boolean await() {
    while (!spin()) {
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

  private boolean spin() {
    if (done) {
      return true;
    }
    for (int i = 0; i < spins; i++) {
      Thread.onSpinWait();
      if (done) {
        spins = Math.min(MAX_SPINS, spins * 2);
        return true;
      }
    }
    spins = Math.max(Math.min(1, MAX_SPINS), spins / 2);
    return false;
  }
}
