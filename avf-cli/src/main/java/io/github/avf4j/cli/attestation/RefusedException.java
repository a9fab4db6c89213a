package io.github.avf4j.cli.attestation;

import io.github.avf4j.attestation.AttestationException;

/** Thrown when an input was read and what was found is not acceptable. */
final class RefusedException extends AttestationException {
  private static final long serialVersionUID = 1L;

  RefusedException(String reason) {
    super(reason);
  }
}
