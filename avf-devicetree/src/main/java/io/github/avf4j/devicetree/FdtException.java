package io.github.avf4j.devicetree;

import java.util.OptionalLong;

/**
 * Thrown when bytes are no device tree, or a tree has not what is asked of it.
 *
 * <p>The reason is a sentence fragment that names what was found and what was expected; the
 * position, where there is one, is the offset in bytes into what was parsed.
 */
public final class FdtException extends RuntimeException {
  private static final long serialVersionUID = 1L;
  private static final long NOWHERE = -1;

  private final String reason;
  private final long position;

  /** Makes an exception that belongs to no place. */
  public FdtException(String reason) {
    this(reason, NOWHERE);
  }

  /** Makes an exception for the byte at {@code position}; a negative one means no place. */
  public FdtException(String reason, long position) {
    super(position < 0 ? reason : reason + " (at byte " + position + ")");
    this.reason = reason;
    this.position = position < 0 ? NOWHERE : position;
  }

  /** The cause in words, without the position. */
  public String reason() {
    return reason;
  }

  /** The offset in bytes into what was parsed, where the fault has a place. */
  public OptionalLong position() {
    return position < 0 ? OptionalLong.empty() : OptionalLong.of(position);
  }
}
