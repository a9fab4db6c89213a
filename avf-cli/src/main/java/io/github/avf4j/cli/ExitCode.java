package io.github.avf4j.cli;

import io.github.avf4j.StopReason;

/** How the tool ends. */
public final class ExitCode {
  /** The guest powered off or reset itself; or what was read is valid. */
  public static final int OK = 0;

  /** The guest died, or the host stopped it. */
  static final int DIED = 1;

  /** What was read is not valid, or not acceptable. */
  public static final int REFUSED = 1;

  /** The input cannot be used: it is missing, empty or unreadable; or the usage is wrong. */
  public static final int UNUSABLE = 2;

  /** The guest ran longer than it was given. */
  static final int TIMED_OUT = 3;

  private ExitCode() {}

  static int of(StopReason reason) {
    return reason instanceof StopReason.Shutdown || reason instanceof StopReason.Reboot ? OK : DIED;
  }
}
