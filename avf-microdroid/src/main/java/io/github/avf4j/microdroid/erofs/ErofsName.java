package io.github.avf4j.microdroid.erofs;

import io.github.avf4j.microdroid.image.ImageException;
import io.github.avf4j.microdroid.image.ImageFormat;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** The name of a file: any bytes but NUL and slash, ordered as unsigned bytes. Immutable. */
final class ErofsName implements Comparable<ErofsName> {
  static final int MAX_LENGTH = 255;

  private final byte[] bytes;

  /** Takes over the array. */
  ErofsName(byte[] bytes) {
    this.bytes = bytes;
  }

  /** A name for a new file. */
  static ErofsName of(byte[] bytes) {
    ErofsName name = new ErofsName(bytes);
    if (name.fault() != null || name.isDots()) {
      throw new ImageException(
          ImageFormat.EROFS,
          "a name must have 1..255 bytes without NUL and slash: \"" + name + '"');
    }
    return name;
  }

  static ErofsName of(String text) {
    return of(text.getBytes(StandardCharsets.UTF_8));
  }

  /** What is wrong with the name; null if nothing is. */
  @Nullable String fault() {
    if (bytes.length == 0 || bytes.length > MAX_LENGTH) {
      return "a name must have 1..255 bytes but has " + bytes.length;
    }
    for (byte b : bytes) {
      if (b == 0 || b == '/') {
        return "a name contains NUL or a slash";
      }
    }
    return null;
  }

  boolean isDot() {
    return bytes.length == 1 && bytes[0] == '.';
  }

  boolean isDotDot() {
    return bytes.length == 2 && bytes[0] == '.' && bytes[1] == '.';
  }

  boolean isDots() {
    return isDot() || isDotDot();
  }

  int length() {
    return bytes.length;
  }

  byte[] bytes() {
    return bytes;
  }

  @Override
  public int compareTo(ErofsName other) {
    return Arrays.compareUnsigned(bytes, other.bytes);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof ErofsName that && Arrays.equals(bytes, that.bytes);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(bytes);
  }

  @Override
  public String toString() {
    return new String(bytes, StandardCharsets.UTF_8);
  }
}
