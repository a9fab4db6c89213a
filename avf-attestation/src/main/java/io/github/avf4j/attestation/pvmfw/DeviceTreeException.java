package io.github.avf4j.attestation.pvmfw;

import io.github.avf4j.attestation.AttestationException;
import io.github.avf4j.devicetree.FdtException;

/** Thrown when bytes are no device tree, or an overlay does not fit. */
public final class DeviceTreeException extends AttestationException {
  private static final long serialVersionUID = 1L;

  /** Makes an exception of what led to it, in a tree at {@code offset} of the document. */
  DeviceTreeException(FdtException cause, int offset) {
    super(
        cause.reason(),
        cause.position().isPresent() ? offset + cause.position().getAsLong() : -1,
        cause);
  }
}
