package io.github.avf4j.attestation.seal;

import io.github.avf4j.attestation.AttestationException;
import org.jspecify.annotations.Nullable;

/**
 * Thrown when a policy, a message or an identity of this package is malformed or not acceptable.
 */
public final class SealException extends AttestationException {
  private static final long serialVersionUID = 1L;

  /** Makes an exception for the byte at {@code position}; a negative one means no place. */
  public SealException(String reason, long position) {
    super(reason, position);
  }

  /** Makes an exception of what led to it, which concerns the named thing. */
  SealException(String what, AttestationException cause) {
    super(what + ": " + cause.reason(), cause.position().orElse(-1), cause);
  }

  /** Makes an exception for the byte at {@code position}, and what led to it. */
  SealException(String reason, long position, @Nullable Throwable cause) {
    super(reason, position, cause);
  }
}
