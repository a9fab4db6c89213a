package io.github.avf4j.cli.internal;

/** Thrown when an input is missing, empty or unreadable; the message names it. */
public final class UnusableInputException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** Makes an exception. */
  public UnusableInputException(String message) {
    super(message);
  }
}
