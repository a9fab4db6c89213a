package io.github.avf4j;

import org.jspecify.annotations.Nullable;

/** Thrown when a machine is not in the state that a call needs; the message names both states. */
public final class IllegalVmStateException extends VirtualMachineException {
  private static final long serialVersionUID = 1L;

  /** Makes an exception with a sentence that says what to do. */
  public IllegalVmStateException(String message) {
    super(message);
  }

  /** Makes an exception with a sentence that says what to do, and what led to it. */
  public IllegalVmStateException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
