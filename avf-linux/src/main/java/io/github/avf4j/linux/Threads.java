package io.github.avf4j.linux;

import java.util.concurrent.CountDownLatch;

/** Waiting that an interrupt does not end. Thread-safe. */
public final class Threads {
  private Threads() {}

  /** Something to wait for. */
  @FunctionalInterface
  private interface Wait {
    void end() throws InterruptedException;
  }

  /** Waits until {@code thread} has ended; an interrupt is kept for later. */
  public static void joinUninterruptibly(Thread thread) {
    uninterruptibly(thread::join);
  }

  /** Waits until {@code latch} is open; an interrupt is kept for later. */
  public static void awaitUninterruptibly(CountDownLatch latch) {
    uninterruptibly(latch::await);
  }

  private static void uninterruptibly(Wait wait) {
    boolean interrupted = false;
    while (true) {
      try {
        wait.end();
        break;
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
