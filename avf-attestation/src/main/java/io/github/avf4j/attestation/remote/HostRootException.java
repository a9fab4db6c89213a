package io.github.avf4j.attestation.remote;

import io.github.avf4j.attestation.AttestationException;
import org.jspecify.annotations.Nullable;

/** Thrown when the root of a host cannot be read, created or trusted. */
public final class HostRootException extends AttestationException {
  private static final long serialVersionUID = 1L;

  /** Makes an exception of what led to it, or of nothing; the reason says what to do. */
  public HostRootException(String reason, @Nullable Throwable cause) {
    super(reason, -1, cause);
  }
}
