package io.github.avf4j.cli.internal;

import io.github.avf4j.attestation.AttestationException;

/** Thrown when an input was read and what was found is not acceptable. */
public final class RefusedException extends AttestationException {
  private static final long serialVersionUID = 1L;

  /** Makes an exception. */
  public RefusedException(String reason) {
    super(reason);
  }
}
