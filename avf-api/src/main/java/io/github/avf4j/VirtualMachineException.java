package io.github.avf4j;

import org.jspecify.annotations.Nullable;

/**
 * The root of everything that this library throws besides the JDK's own exceptions for programmer
 * errors. The message is a sentence that says what to do.
 *
 * <p>What a <em>guest</em> does is never an exception but a {@link StopReason}.
 */
public class VirtualMachineException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** Makes an exception with a sentence that says what to do. */
  public VirtualMachineException(String message) {
    super(message);
  }

  /** Makes an exception with a sentence that says what to do, and what led to it. */
  public VirtualMachineException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
