package io.github.avf4j.qemu.process;

/** Thrown when no QEMU can be used here. */
public final class QemuUnavailableException extends Exception {
  private static final long serialVersionUID = 1L;

  private final String reason;
  private final String advice;

  QemuUnavailableException(String reason, String advice) {
    super(reason + ": " + advice);
    this.reason = reason;
    this.advice = advice;
  }

  /** Returns what was found. */
  public String reason() {
    return reason;
  }

  /** Returns what to do about it. */
  public String advice() {
    return advice;
  }
}
