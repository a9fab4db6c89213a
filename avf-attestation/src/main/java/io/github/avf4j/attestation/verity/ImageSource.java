package io.github.avf4j.attestation.verity;

import io.github.avf4j.attestation.ByteSlice;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.security.MessageDigest;
import java.util.Objects;

/**
 * Bytes of a known number that can be read at any position, by several threads at a time.
 *
 * <p>The size is fixed when the source is made: a file that shrinks afterwards gives an {@link
 * EOFException}, one that grows is read up to the old size. Thread-safe.
 */
public interface ImageSource {
  /** The number of bytes. */
  long size();

  /**
   * Reads exactly {@code length} bytes from {@code position}.
   *
   * @throws EOFException if the source ends before
   * @throws IOException if the medium fails
   */
  void read(long position, byte[] target, int offset, int length) throws IOException;

  /**
   * Feeds {@code length} bytes from {@code position} into a digest, in pieces of 64 KiB. A file of
   * 4 MiB and more is read ahead by a second thread.
   */
  default void digest(MessageDigest digest, long position, long length) throws IOException {
    byte[] buffer = new byte[(int) Math.min(length, 1 << 16)];
    long at = position;
    long left = length;
    while (left > 0) {
      int piece = (int) Math.min(left, buffer.length);
      read(at, buffer, 0, piece);
      digest.update(buffer, 0, piece);
      at += piece;
      left -= piece;
    }
  }

  /**
   * Reads bytes into a new array.
   *
   * @throws EOFException if the range is not inside the source; nothing is allocated then
   */
  default byte[] readRange(long position, int length) throws IOException {
    requireInside(position, length);
    byte[] bytes = new byte[length];
    read(position, bytes, 0, length);
    return bytes;
  }

  /** Throws an {@link EOFException} unless the range lies inside the source. */
  default void requireInside(long position, long length) throws EOFException {
    if (position < 0 || length < 0 || position > size() || length > size() - position) {
      throw new EOFException(
          "bytes %d..+%d do not lie inside the %d bytes of the image"
              .formatted(position, length, size()));
    }
  }

  /** The bytes of an array, which nobody may write to from now on. */
  static ImageSource of(byte[] bytes) {
    return new ImageSource() {
      @Override
      public long size() {
        return bytes.length;
      }

      @Override
      public void read(long position, byte[] target, int offset, int length) throws IOException {
        requireInside(position, length);
        System.arraycopy(bytes, (int) position, target, offset, length);
      }

      @Override
      public void digest(MessageDigest digest, long position, long length) throws IOException {
        requireInside(position, length);
        digest.update(bytes, (int) position, (int) length);
      }
    };
  }

  /** The bytes of a slice. */
  static ImageSource of(ByteSlice bytes) {
    return new ImageSource() {
      @Override
      public long size() {
        return bytes.length();
      }

      @Override
      public void read(long position, byte[] target, int offset, int length) throws IOException {
        requireInside(position, length);
        bytes.slice((int) position, (int) position + length).copyTo(target, offset);
      }
    };
  }

  /**
   * The bytes that a file has now. The channel is only used, never closed.
   *
   * @throws IOException if the size cannot be had
   */
  static ImageSource of(FileChannel file) throws IOException {
    Objects.requireNonNull(file, "file");
    long size = file.size();
    return new ImageSource() {
      @Override
      public long size() {
        return size;
      }

      @Override
      public void read(long position, byte[] target, int offset, int length) throws IOException {
        requireInside(position, length);
        ByteBuffer buffer = ByteBuffer.wrap(target, offset, length);
        while (buffer.hasRemaining()) {
          int count = file.read(buffer, position + (length - buffer.remaining()));
          if (count < 0) {
            throw new EOFException("the file became shorter than " + size + " bytes");
          }
        }
      }

      @Override
      public void digest(MessageDigest digest, long position, long length) throws IOException {
        requireInside(position, length);
        if (length < ReadAhead.WORTHWHILE) {
          ImageSource.super.digest(digest, position, length);
        } else {
          ReadAhead.digest(this, digest, position, length);
        }
      }
    };
  }

  /** The first {@code length} bytes of a source. */
  static ImageSource prefix(ImageSource whole, long length) throws EOFException {
    whole.requireInside(0, length);
    return new ImageSource() {
      @Override
      public long size() {
        return length;
      }

      @Override
      public void read(long position, byte[] target, int offset, int count) throws IOException {
        requireInside(position, count);
        whole.read(position, target, offset, count);
      }

      @Override
      public void digest(MessageDigest digest, long position, long count) throws IOException {
        requireInside(position, count);
        whole.digest(digest, position, count);
      }
    };
  }
}
