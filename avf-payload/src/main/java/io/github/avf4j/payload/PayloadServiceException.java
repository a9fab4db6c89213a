package io.github.avf4j.payload;

import org.jspecify.annotations.Nullable;

/** Thrown when the virtual machine does not do what its payload asks. */
public final class PayloadServiceException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** Why not. */
  public enum Reason {
    /** The machine's payload service does not answer: is this code inside a virtual machine? */
    UNREACHABLE,
    /** It answers what is no answer to the request. */
    PROTOCOL,
    /** The call is for payloads that were started from a configuration file. */
    SECURITY,
    /** An argument is not one that the machine takes. */
    ILLEGAL_ARGUMENT,
    /** Neither this machine nor its host can do it. */
    UNSUPPORTED,
    /** It should have worked, but did not. */
    FAILED
  }

  private final Reason reason;

  PayloadServiceException(Reason reason, String message, @Nullable Throwable cause) {
    super(message, cause);
    this.reason = reason;
  }

  PayloadServiceException(Reason reason, String message) {
    this(reason, message, null);
  }

  /** Returns which of the ways to fail it is. */
  public Reason reason() {
    return reason;
  }
}
