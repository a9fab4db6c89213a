package io.github.avf4j.attestation.remote;

import io.github.avf4j.attestation.AttestationException;
import org.jspecify.annotations.Nullable;

/** Thrown when a certificate, a request or a key blob of this package is malformed or refused. */
public final class RemoteAttestationException extends AttestationException {
  private static final long serialVersionUID = 1L;

  /** Makes an exception for the byte at {@code position}; a negative one means no place. */
  public RemoteAttestationException(String reason, long position) {
    super(reason, position);
  }

  /** Makes an exception for the byte at {@code position}, and what led to it. */
  public RemoteAttestationException(String reason, long position, @Nullable Throwable cause) {
    super(reason, position, cause);
  }

  /** Makes an exception of what led to it, which concerns the named thing. */
  static RemoteAttestationException about(String what, AttestationException cause) {
    return new RemoteAttestationException(
        what + ": " + cause.reason(), cause.position().orElse(-1), cause);
  }
}
