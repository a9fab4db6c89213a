package io.github.avf4j.virtio;

/** Reads of a device's configuration space, which is little-endian. Thread-safe. */
public final class ConfigSpace {
  private ConfigSpace() {}

  /**
   * Returns {@code width} bytes of {@code space} at {@code offset}; what lies outside is zero, and
   * so is all if the width is none of 1, 2 and 4.
   */
  public static int read(byte[] space, int offset, int width) {
    if (!isLegalWidth(width)) {
      return 0;
    }
    int value = 0;
    for (int i = 0; i < width; i++) {
      int at = offset + i;
      if (at >= 0 && at < space.length) {
        value |= (space[at] & 0xff) << 8 * i;
      }
    }
    return value;
  }

  /** Says whether an access to configuration space may have this width in bytes. */
  public static boolean isLegalWidth(int width) {
    return width == 1 || width == 2 || width == 4;
  }
}
