package io.github.avf4j;

import org.jspecify.annotations.Nullable;

/** Thrown when no hypervisor, or not the one asked for, can run machines on this host. */
public final class BackendUnavailableException extends VirtualMachineException {
  private static final long serialVersionUID = 1L;

  /** Makes an exception with a sentence that says what to do. */
  public BackendUnavailableException(String message) {
    super(message);
  }

  /** Makes an exception with a sentence that says what to do, and what led to it. */
  public BackendUnavailableException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
