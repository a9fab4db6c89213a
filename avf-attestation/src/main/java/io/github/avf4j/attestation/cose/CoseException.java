package io.github.avf4j.attestation.cose;

import io.github.avf4j.attestation.AttestationException;
import org.jspecify.annotations.Nullable;

/** Thrown when a COSE key or message has not the form that is expected. */
public final class CoseException extends AttestationException {
  private static final long serialVersionUID = 1L;

  /** Makes an exception for the byte at {@code position}; a negative one means no place. */
  public CoseException(String reason, long position) {
    super(reason, position);
  }

  /** Makes an exception for the byte at {@code position}, and what led to it. */
  public CoseException(String reason, long position, @Nullable Throwable cause) {
    super(reason, position, cause);
  }
}
