package io.github.avf4j.virtio.vsock;

import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;

/** A call that waits on a thread of its own. */
final class Blocked<T> {
  private final FutureTask<T> task;
  final Thread thread;

  Blocked(Callable<T> work) {
    task = new FutureTask<>(work);
    thread = new Thread(task, "test-blocked");
    thread.setDaemon(true);
  }

  /** Starts the call and returns once its thread is parked. */
  void start() throws InterruptedException {
    thread.start();
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
    while (thread.getState() != Thread.State.WAITING
        && thread.getState() != Thread.State.TIMED_WAITING) {
      if (task.isDone() || System.nanoTime() - deadline > 0) {
        throw new AssertionError("the call did not wait: " + task);
      }
      Thread.sleep(1);
    }
  }

  T get() throws Exception {
    return task.get(20, TimeUnit.SECONDS);
  }
}
