package io.github.avf4j;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Thrown when a base image, or the key that must have signed it, cannot be used. */
public final class BaseImageException extends InvalidImageException {
  private static final long serialVersionUID = 1L;

  private final Reason reason;

  /** Why not. */
  public enum Reason {
    /** The folder, or one of its files, is missing, empty or unreadable. */
    PART_MISSING,
    /** A file is not the one that the image's vbmeta describes. */
    PART_MISMATCH,
    /** Another key signed the image than the one that is trusted. */
    WRONG_KEY,
    /** The file with the trusted key is missing or has no such key. */
    KEY_FILE
  }

  /** Makes an exception with a sentence that says what to do, and what led to it. */
  public BaseImageException(Reason reason, String message, @Nullable Throwable cause) {
    super(message, cause);
    this.reason = Objects.requireNonNull(reason, "reason");
  }

  /** Returns which of the ways to fail it is. */
  public Reason reason() {
    return reason;
  }
}
