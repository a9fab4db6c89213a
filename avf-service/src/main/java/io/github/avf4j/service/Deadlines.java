package io.github.avf4j.service;

import io.github.avf4j.StopReason;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The moments at which a run's keeper has to act, and what it means to miss them.
 *
 * <p>Guarded by the lock of its run; times are those of {@link System#nanoTime()}.
 */
final class Deadlines {
  /** How long a backend may take to stop a machine; after that it is closed regardless. */
  static final Duration KILL_LIMIT = Duration.ofSeconds(10);

  /** How long a host may take from start to the guest's first instruction. */
  private static final Duration ENTRY_LIMIT = Duration.ofSeconds(60);

  /** How long a kernel may go on after its panic's last line: it resets soon or never. */
  private static final Duration PANIC_GRACE = Duration.ofSeconds(1);

  private final Duration bootTimeout;
  private final Deadline entry = new Deadline();
  private final Deadline payload = new Deadline();
  private final Deadline panic = new Deadline();
  private final Deadline kill = new Deadline();
  private final List<Deadline> all = List.of(entry, payload, panic, kill);

  /** Makes deadlines of which none is set; a payload must start within {@code bootTimeout}. */
  Deadlines(Duration bootTimeout) {
    this.bootTimeout = bootTimeout;
  }

  /** The machine is started: its first instruction is awaited. */
  void awaitEntry(long now) {
    entry.set(now, ENTRY_LIMIT);
  }

  void entered() {
    entry.clear();
  }

  /** The machine is started: its payload's start is awaited. */
  void awaitPayload(long now) {
    payload.set(now, bootTimeout);
  }

  /** The payload has started, or never will. */
  void payloadKnown() {
    payload.clear();
  }

  /** The kernel has panicked: its reset is awaited. */
  void awaitReset(long now) {
    panic.set(now, PANIC_GRACE);
  }

  /** The machine was told to stop: its end is awaited, from the first time on. */
  void awaitEnd(long now) {
    if (!kill.isSet()) {
      kill.set(now, KILL_LIMIT);
    }
  }

  /** Returns whether the machine should have ended by now. */
  boolean isEndOverdue(long now) {
    return kill.isOver(now);
  }

  /**
   * Returns why a machine that nobody has told to stop must be stopped now, if it must.
   *
   * @param panicLine the line of a kernel panic, if there was one
   */
  Optional<StopReason> late(long now, @Nullable String panicLine) {
    if (entry.isOver(now)) {
      return Optional.of(
          new StopReason.StartFailed("the kernel was not entered within " + ENTRY_LIMIT));
    }
    if (panic.isOver(now)) {
      return Optional.of(
          new StopReason.Crash(
              StopReason.CrashKind.PANIC, panicLine == null ? "" : panicLine, Optional.empty()));
    }
    if (payload.isOver(now)) {
      return Optional.of(new StopReason.Hangup(bootTimeout));
    }
    return Optional.empty();
  }

  /** Returns how long to wait from {@code now} for the next of them, at least a microsecond. */
  long nanosToNext(long now) {
    long next = Duration.ofHours(1).toNanos();
    for (Deadline deadline : all) {
      next = Math.min(next, deadline.nanosLeft(now));
    }
    return Math.max(1000, next);
  }

  /** One moment, if it is set. */
  static final class Deadline {
    private boolean isSet;
    private long at;

    void set(long now, Duration limit) {
      isSet = true;
      at = now + nanos(limit);
    }

    void clear() {
      isSet = false;
    }

    boolean isSet() {
      return isSet;
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
