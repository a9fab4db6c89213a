package io.github.avf4j.attestation.seal;

import io.github.avf4j.attestation.AttestationException;
import org.jspecify.annotations.Nullable;

/** Thrown when the secret of the device cannot be read, created or trusted. */
public final class DeviceSecretException extends AttestationException {
  private static final long serialVersionUID = 1L;

  /** Makes an exception; the reason says what to do. */
  public DeviceSecretException(String reason) {
    this(reason, null);
  }

  /** Makes an exception of what led to it; the reason says what to do. */
  public DeviceSecretException(String reason, @Nullable Throwable cause) {
    super(reason, -1, cause);
  }
}
