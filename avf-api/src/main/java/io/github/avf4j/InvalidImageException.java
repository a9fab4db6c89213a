package io.github.avf4j;

import org.jspecify.annotations.Nullable;

/** Thrown when a kernel, initial RAM disk, payload or disk file cannot be used. */
public class InvalidImageException extends VirtualMachineException {
  private static final long serialVersionUID = 1L;

  /** Makes an exception with a sentence that says what to do. */
  public InvalidImageException(String message) {
    super(message);
  }

  /** Makes an exception with a sentence that says what to do, and what led to it. */
  public InvalidImageException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
