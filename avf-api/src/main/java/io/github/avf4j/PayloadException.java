package io.github.avf4j;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Thrown when a machine's payload, or a file that the machine keeps for it, cannot be used. */
public final class PayloadException extends VirtualMachineException {
  private static final long serialVersionUID = 1L;

  private final ErrorCode code;

  /** Makes an exception with a sentence that says what to do, and what led to it. */
  public PayloadException(ErrorCode code, String message, @Nullable Throwable cause) {
    super(message, cause);
    this.code = Objects.requireNonNull(code, "code");
  }

  /** Returns the code with which a guest would have refused the same payload. */
  public ErrorCode code() {
    return code;
  }
}
