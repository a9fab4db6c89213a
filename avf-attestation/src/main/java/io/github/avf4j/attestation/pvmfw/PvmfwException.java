package io.github.avf4j.attestation.pvmfw;

import io.github.avf4j.attestation.AttestationException;
import org.jspecify.annotations.Nullable;

/** Thrown when the firmware would not boot the guest. */
public final class PvmfwException extends AttestationException {
  private static final long serialVersionUID = 1L;

  private final PvmfwError error;

  /** Makes an exception that belongs to no place. */
  public PvmfwException(PvmfwError error, String reason) {
    super(reason);
    this.error = error;
  }

  /** Makes an exception for the byte at {@code position}. */
  public PvmfwException(PvmfwError error, String reason, long position) {
    super(reason, position);
    this.error = error;
  }

  /** Makes an exception of what led to it. */
  PvmfwException(PvmfwError error, String reason, @Nullable Throwable cause) {
    this(error, reason, -1, cause);
  }

  /** Makes an exception for the byte at {@code position}, and what led to it. */
  PvmfwException(PvmfwError error, String reason, long position, @Nullable Throwable cause) {
    super(reason, position, cause);
    this.error = error;
  }

  /** Which of the ways to fail it is. */
  public PvmfwError error() {
    return error;
  }

  /** What the firmware would print. */
  public RebootReason rebootReason() {
    return error.rebootReason();
  }
}
