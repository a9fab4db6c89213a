package io.github.avf4j.service;

import java.time.Duration;
import java.util.List;

/** The moments at which a run's keeper has to act. Guarded by the lock of its run. */
final class Deadlines {
  /** The guest's first instruction. */
  final Deadline entry = new Deadline();

  /** The start of the payload. */
  final Deadline payload = new Deadline();

  /** The end of a kernel that panicked. */
  final Deadline panic = new Deadline();

  /** The end of a machine that was told to stop. */
  final Deadline kill = new Deadline();

  private final List<Deadline> all = List.of(entry, payload, panic, kill);

  /** Returns how long to wait from {@code now} for the next of them, at least a microsecond. */
  long nanosToNext(long now) {
    long next = Duration.ofHours(1).toNanos();
    for (Deadline deadline : all) {
      next = Math.min(next, deadline.nanosLeft(now));
    }
    return Math.max(1000, next);
  }

  /** One moment by {@link System#nanoTime()}, if it is set. */
  static final class Deadline {
    private boolean isSet;
    private long at;

    void set(long now, Duration limit) {
      isSet = true;
      at = now + nanos(limit);
    }

    void setOnce(long now, Duration limit) {
      if (!isSet) {
        set(now, limit);
      }
    }

    void clear() {
      isSet = false;
    }

    boolean isOver(long now) {
      return isSet && now - at >= 0;
    }

    long nanosLeft(long now) {
      return isSet ? at - now : Long.MAX_VALUE;
    }

    private static long nanos(Duration limit) {
      // Half of the range, so that differences of times do not overflow.
      Duration most = Duration.ofNanos(Long.MAX_VALUE / 2);
      return limit.compareTo(most) > 0 ? most.toNanos() : limit.toNanos();
    }
  }
}
