package io.github.avf4j.virtio.vsock;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** What an eventfd is between a guest and the host: rings are added up, and one thread waits. */
final class Doorbell {
  private final AtomicInteger rung = new AtomicInteger();
  private volatile @Nullable Thread waiting;

  void ring(int bits) {
    if ((rung.getAndAccumulate(bits, (a, b) -> a | b) & bits) != bits) {
      LockSupport.unpark(waiting);
    }
  }

  /** Waits for a ring and returns what was rung; 0 if the thread was interrupted. */
  int await() {
    waiting = Thread.currentThread();
    while (true) {
      int bits = rung.get() == 0 ? 0 : rung.getAndSet(0);
      if (bits != 0 || Thread.currentThread().isInterrupted()) {
        waiting = null;
        return bits;
      }
      LockSupport.park(this);
    }
  }

  /** Waits for a ring and returns what was rung; 0 if none came in time. */
  int await(long nanos) {
    long deadline = System.nanoTime() + nanos;
    waiting = Thread.currentThread();
    try {
      while (true) {
        int bits = rung.get() == 0 ? 0 : rung.getAndSet(0);
        long left = deadline - System.nanoTime();
        if (bits != 0 || left <= 0) {
          return bits;
        }
        LockSupport.parkNanos(this, left);
        if (Thread.currentThread().isInterrupted()) {
          return 0;
        }
      }
    } finally {
      waiting = null;
    }
  }
}
