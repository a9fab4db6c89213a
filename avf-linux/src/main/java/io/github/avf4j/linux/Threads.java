package io.github.avf4j.linux;

/** Help with threads. Thread-safe. */
public final class Threads {
  private Threads() {}

  /** Waits until {@code thread} has ended; an interrupt is kept for later. */
  public static void joinUninterruptibly(Thread thread) {
    boolean interrupted = false;
    while (true) {
      try {
        thread.join();
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
