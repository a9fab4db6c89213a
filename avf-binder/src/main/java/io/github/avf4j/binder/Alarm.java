package io.github.avf4j.binder;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Does something when something else takes too long. */
final class Alarm {
  private Alarm() {}

  /** What may take too long. */
  interface Step<T> {
    T run() throws IOException;
  }

  /** Returns what the step does; the action runs on another thread, and shall end the step. */
  static <T> T after(Duration limit, Runnable action, Step<T> step) throws IOException {
    CompletableFuture<Void> ring = new CompletableFuture<>();
    ring.orTimeout(limit.toNanos(), TimeUnit.NANOSECONDS)
        .whenComplete(
            (nothing, late) -> {
              if (late instanceof TimeoutException) {
                action.run();
              }
            });
    try {
      return step.run();
    } finally {
      ring.complete(null);
    }
  }
}
