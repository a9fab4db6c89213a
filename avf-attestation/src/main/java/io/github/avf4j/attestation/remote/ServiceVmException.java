package io.github.avf4j.attestation.remote;

import io.github.avf4j.attestation.AttestationException;
import org.jspecify.annotations.Nullable;

/** Thrown when the service VM refuses a request. */
public final class ServiceVmException extends AttestationException {
  private static final long serialVersionUID = 1L;

  private final RequestProcessingError error;

  /** Makes an exception. */
  public ServiceVmException(RequestProcessingError error, String reason) {
    this(error, reason, null);
  }

  /** Makes an exception of what led to it. */
  ServiceVmException(
      RequestProcessingError error, String reason, @Nullable AttestationException cause) {
    super(
        cause == null ? reason : reason + ": " + cause.reason(),
        cause == null ? -1 : cause.position().orElse(-1),
        cause);
    this.error = error;
  }

  /** The kind of refusal. */
  public RequestProcessingError error() {
    return error;
  }
}
