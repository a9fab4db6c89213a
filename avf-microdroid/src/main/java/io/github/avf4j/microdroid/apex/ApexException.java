package io.github.avf4j.microdroid.apex;

import io.github.avf4j.attestation.AttestationException;
import org.jspecify.annotations.Nullable;

/** Thrown when an APEX is refused or cannot be made; the position is a byte of its file. */
public final class ApexException extends AttestationException {
  private static final long serialVersionUID = 1L;

  private final ApexError error;

  ApexException(ApexError error, String reason) {
    this(error, reason, -1, null);
  }

  ApexException(ApexError error, String reason, long position) {
    this(error, reason, position, null);
  }

  ApexException(ApexError error, String reason, long position, @Nullable Throwable cause) {
    super(reason, position, cause);
    this.error = error;
  }

  /** What was refused in a part that stands at byte {@code base} of the file. */
  static ApexException of(ApexError error, AttestationException cause, long base) {
    long position = cause.position().isPresent() ? base + cause.position().getAsLong() : -1;
    return new ApexException(error, cause.reason(), position, cause);
  }

  /** Which of the ways to fail it is. */
  public ApexError error() {
    return error;
  }
}
