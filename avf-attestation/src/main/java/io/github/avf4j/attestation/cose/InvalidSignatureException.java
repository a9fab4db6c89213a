package io.github.avf4j.attestation.cose;

import io.github.avf4j.attestation.AttestationException;

/**
 * Thrown when a well-formed signature is not that of the key over the message.
 *
 * <p>It says where the signed message stands and nothing about how the check failed.
 */
public final class InvalidSignatureException extends AttestationException {
  private static final long serialVersionUID = 1L;

  /** Makes an exception for the message at {@code position}; a negative one means no place. */
  public InvalidSignatureException(long position) {
    super("the signature does not verify", position);
  }
}
