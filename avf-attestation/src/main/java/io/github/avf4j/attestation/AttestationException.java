package io.github.avf4j.attestation;

import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * The root of everything that this module throws besides the JDK's own exceptions for programmer
 * errors.
 *
 * <p>The reason is a sentence fragment that names what was found and what was expected; the
 * position, where there is one, is the offset in bytes into the outermost document that was parsed.
 * Neither ever holds key material or other secrets.
 */
public abstract class AttestationException extends RuntimeException {
  private static final long serialVersionUID = 1L;
  private static final long NOWHERE = -1;

  private final String reason;
  private final long position;

  /** Makes an exception that belongs to no place in a document. */
  protected AttestationException(String reason) {
    this(reason, NOWHERE, null);
  }

  /** Makes an exception for the byte at {@code position}; a negative one means no place. */
  protected AttestationException(String reason, long position) {
    this(reason, position, null);
  }

  /** Makes an exception for the byte at {@code position}, and what led to it. */
  protected AttestationException(String reason, long position, @Nullable Throwable cause) {
    super(position < 0 ? reason : reason + " (at byte " + position + ")", cause);
    this.reason = reason;
    this.position = position < 0 ? NOWHERE : position;
  }

  /** The cause in words, without the position. */
  public final String reason() {
    return reason;
  }

  /** The offset in bytes into the outermost document, where the fault has a place. */
  public final OptionalLong position() {
    return position < 0 ? OptionalLong.empty() : OptionalLong.of(position);
  }
}
