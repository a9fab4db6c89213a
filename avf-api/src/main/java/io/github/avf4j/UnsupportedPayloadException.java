package io.github.avf4j;

import org.jspecify.annotations.Nullable;

/** Thrown when a machine has a payload of a kind that this version cannot run. */
public final class UnsupportedPayloadException extends VirtualMachineException {
  private static final long serialVersionUID = 1L;

  /** Makes an exception with a sentence that says what to do. */
  public UnsupportedPayloadException(String message) {
    super(message);
  }

  /** Makes an exception with a sentence that says what to do, and what led to it. */
  public UnsupportedPayloadException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
