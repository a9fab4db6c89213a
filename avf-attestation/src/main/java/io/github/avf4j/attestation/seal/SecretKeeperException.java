package io.github.avf4j.attestation.seal;

import io.github.avf4j.attestation.AttestationException;
import org.jspecify.annotations.Nullable;

/** Thrown when a keeper refuses a request. The reason never holds a secret. */
public final class SecretKeeperException extends AttestationException {
  private static final long serialVersionUID = 1L;

  private final SecretKeeperError error;

  /** Makes an exception. */
  public SecretKeeperException(SecretKeeperError error, String reason) {
    this(error, reason, null);
  }

  /** Makes an exception of what led to it. */
  public SecretKeeperException(SecretKeeperError error, String reason, @Nullable Throwable cause) {
    super(reason, -1, cause);
    this.error = error;
  }

  /** The kind of refusal. */
  public SecretKeeperError error() {
    return error;
  }
}
