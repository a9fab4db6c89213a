package io.github.avf4j.microdroid.apk;

import io.github.avf4j.attestation.AttestationException;
import org.jspecify.annotations.Nullable;

/** Thrown when an APK, idsig or manifest is refused; the position is a byte of that file. */
public final class ApkException extends AttestationException {
  private static final long serialVersionUID = 1L;

  private final ApkError error;

  ApkException(ApkError error, String reason) {
    super(reason);
    this.error = error;
  }

  ApkException(ApkError error, String reason, long position) {
    super(reason, position);
    this.error = error;
  }

  ApkException(ApkError error, String reason, long position, @Nullable Throwable cause) {
    super(reason, position, cause);
    this.error = error;
  }

  /** Which of the ways to fail it is. */
  public ApkError error() {
    return error;
  }
}
