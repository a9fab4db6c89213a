package io.github.avf4j.service;

import io.github.avf4j.StopReason;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The runs of this JVM; those that are left are stopped when it ends. There is a shutdown hook only
 * while there are runs.
 *
 * <p>Thread-safe.
 */
final class RunningMachines {
  private static final Duration LIMIT = Duration.ofSeconds(5);

  private static final Set<Run> runs = new LinkedHashSet<>();
  private static @Nullable Thread hook;
  private static boolean ending;

  private RunningMachines() {}

  /**
   * Adds a run.
   *
   * @throws IllegalStateException if the JVM is ending
   */
  static synchronized void add(Run run) {
    // Nobody would stop it: the hook has looked at the runs already.
    if (ending) {
      throw new IllegalStateException("the JVM is ending: no machine can be run any more");
    }
    if (hook == null) {
      Thread thread = new Thread(RunningMachines::stopAll, "avf-shutdown");
      Runtime.getRuntime().addShutdownHook(thread);
      hook = thread;
    }
    runs.add(run);
  }

  static synchronized void remove(Run run) {
    runs.remove(run);
    if (runs.isEmpty() && hook != null) {
      try {
        Runtime.getRuntime().removeShutdownHook(hook);
      } catch (IllegalStateException e) {
        // The JVM is ending and the hook runs.
      }
      hook = null;
    }
  }

  private static void stopAll() {
    List<Run> left;
    synchronized (RunningMachines.class) {
      ending = true;
      left = List.copyOf(runs);
    }
    long deadline = System.nanoTime() + LIMIT.toNanos();
    left.forEach(run -> run.kill(new StopReason.Killed()));
    try {
      for (Run run : left) {
        run.awaitEnded(Duration.ofNanos(Math.max(0, deadline - System.nanoTime())));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
