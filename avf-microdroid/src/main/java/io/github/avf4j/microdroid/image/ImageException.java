package io.github.avf4j.microdroid.image;

import io.github.avf4j.VirtualMachineException;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * Thrown when an image is damaged, hostile or of a kind that is not supported, or when one is asked
 * for that its format cannot hold.
 *
 * <p>The reason names what was found and what was expected; the position, where there is one, is
 * the offset in bytes into the image.
 */
public final class ImageException extends VirtualMachineException {
  private static final long serialVersionUID = 1L;
  private static final long NOWHERE = -1;

  private final ImageFormat format;
  private final String reason;
  private final long position;

  /** Makes an exception that belongs to no place in the image. */
  public ImageException(ImageFormat format, String reason) {
    this(format, reason, NOWHERE, null);
  }

  /** Makes an exception for the byte at {@code position}. */
  public ImageException(ImageFormat format, String reason, long position) {
    this(format, reason, position, null);
  }

  /** Makes an exception for the byte at {@code position}, and what led to it. */
  public ImageException(
      ImageFormat format, String reason, long position, @Nullable Throwable cause) {
    super(format + ": " + reason + (position < 0 ? "" : " (at byte " + position + ")"), cause);
    this.format = format;
    this.reason = reason;
    this.position = Math.max(NOWHERE, position);
  }

  /** What the image was read or made as. */
  public ImageFormat format() {
    return format;
  }

  /** The cause in words, without format and position. */
  public String reason() {
    return reason;
  }

  /** The offset in bytes into the image, where the fault has a place. */
  public OptionalLong position() {
    return position < 0 ? OptionalLong.empty() : OptionalLong.of(position);
  }
}
