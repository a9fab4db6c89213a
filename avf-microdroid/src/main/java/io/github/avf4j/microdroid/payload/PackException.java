package io.github.avf4j.microdroid.payload;

import io.github.avf4j.VirtualMachineException;
import org.jspecify.annotations.Nullable;

/** Thrown when the files of a VM cannot be made; nothing is left that could be taken for whole. */
public final class PackException extends VirtualMachineException {
  private static final long serialVersionUID = 1L;

  private final PackError error;

  PackException(PackError error, String message) {
    this(error, message, null);
  }

  PackException(PackError error, String message, @Nullable Throwable cause) {
    super(message, cause);
    this.error = error;
  }

  /** Which of the ways to fail it is. */
  public PackError error() {
    return error;
  }
}
