package io.github.avf4j.attestation.fdt;

import io.github.avf4j.attestation.AttestationException;

/** Thrown when bytes are no device tree, or a tree has not what is asked of it. */
public final class FdtException extends AttestationException {
  private static final long serialVersionUID = 1L;

  /** Makes an exception that belongs to no place. */
  public FdtException(String reason) {
    super(reason);
  }

  /** Makes an exception for the byte at {@code position}. */
  public FdtException(String reason, long position) {
    super(reason, position);
  }
}
