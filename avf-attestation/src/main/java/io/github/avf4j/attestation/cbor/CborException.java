package io.github.avf4j.attestation.cbor;

import io.github.avf4j.attestation.AttestationException;

/** Thrown when bytes are not the CBOR that is expected, in form or in content. */
public final class CborException extends AttestationException {
  private static final long serialVersionUID = 1L;

  /** Makes an exception for the byte at {@code position}; a negative one means no place. */
  public CborException(String reason, long position) {
    super(reason, position);
  }
}
