package io.github.avf4j.microdroid.image;

import io.github.avf4j.attestation.verity.ImageSource;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * An image that is being parsed: every range is checked against the size before anything is
 * allocated, and a range outside is a refusal with its position.
 *
 * <p>Thread-safe as far as its source is.
 *
 * @param format what it is parsed as
 * @param source the bytes
 */
public record ImageView(ImageFormat format, ImageSource source) {
  private static final int PIECE = 1 << 16;

  /** The number of bytes. */
  public long size() {
    return source.size();
  }

  /**
   * Reads bytes into a new little-endian buffer.
   *
   * @param what names the range in messages
   * @throws ImageException if the range is not inside the image
   */
  public ByteBuffer read(long position, int length, String what) throws IOException {
    return ByteBuffer.wrap(bytes(position, length, what)).order(ByteOrder.LITTLE_ENDIAN);
  }

  /**
   * Reads bytes into a new array.
   *
   * @param what names the range in messages
   * @throws ImageException if the range is not inside the image
   */
  public byte[] bytes(long position, int length, String what) throws IOException {
    requireInside(position, length, what);
    byte[] bytes = new byte[length];
    source.read(position, bytes, 0, length);
    return bytes;
  }

  /**
   * Checks a range.
   *
   * @throws ImageException unless it lies inside the image; negative numbers never do
   */
  public void requireInside(long position, long length, String what) {
    if (position < 0 || length < 0 || position > size() || length > size() - position) {
      throw new ImageException(
          format,
          "%s has %s bytes at byte %s, but the image has %d"
              .formatted(
                  what, Long.toUnsignedString(length), Long.toUnsignedString(position), size()),
          Math.max(0, Math.min(position, size())));
    }
  }

  /** Makes a refusal of this image. */
  public ImageException refused(String reason, long position) {
    return new ImageException(format, reason, position);
  }

  /**
   * Copies a range, in pieces of 64 KiB.
   *
   * @throws ImageException if the range is not inside the image
   */
  public void copyTo(OutputStream out, long position, long length, String what) throws IOException {
    requireInside(position, length, what);
    byte[] buffer = new byte[(int) Math.min(length, PIECE)];
    long at = position;
    for (long left = length; left > 0; ) {
      int piece = (int) Math.min(left, buffer.length);
      source.read(at, buffer, 0, piece);
      out.write(buffer, 0, piece);
      at += piece;
      left -= piece;
    }
  }

  /**
   * A part of an image as an image of its own.
   *
   * @throws EOFException if the range is not inside {@code whole}
   */
  public static ImageSource part(ImageSource whole, long start, long length) throws EOFException {
    whole.requireInside(start, length);
    return new ImageSource() {
      @Override
      public long size() {
        return length;
      }

      @Override
      public void read(long position, byte[] target, int offset, int count) throws IOException {
        requireInside(position, count);
        whole.read(start + position, target, offset, count);
      }
    };
  }
}
