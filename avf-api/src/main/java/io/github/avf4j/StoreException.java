package io.github.avf4j;

import org.jspecify.annotations.Nullable;

/** Thrown when the store folder, or a machine in it, cannot be read, written, made or found. */
public final class StoreException extends VirtualMachineException {
  private static final long serialVersionUID = 1L;

  /** Makes an exception with a sentence that says what to do. */
  public StoreException(String message) {
    super(message);
  }

  /** Makes an exception with a sentence that says what to do, and what led to it. */
  public StoreException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
