package io.github.avf4j.microdroid.boot;

import io.github.avf4j.microdroid.image.ImageException;
import io.github.avf4j.microdroid.image.ImageFormat;

/**
 * The version of Android and its security patch level, packed into 32 bits: 7 bits for each part of
 * A.B.C, 7 for the year since 2000, 4 for the month. Immutable and thread-safe.
 *
 * @param a 0..127
 * @param b 0..127
 * @param c 0..127
 * @param year 2000..2127
 * @param month 0..15; 1..12 where it means something
 */
public record OsVersion(int a, int b, int c, int year, int month) {
  /** Nothing is said: 0. */
  public static final OsVersion NONE = unpack(0);

  private static final int SEVEN_BITS = 0x7f;
  private static final int YEAR_ZERO = 2000;

  /** Checks the ranges. */
  public OsVersion {
    if (((a | b | c) & ~SEVEN_BITS) != 0
        || year < YEAR_ZERO
        || year > YEAR_ZERO + SEVEN_BITS
        || (month & ~15) != 0) {
      throw new ImageException(
          ImageFormat.BOOT,
          "the OS version must fit 127.127.127 and 2127-15 but is %d.%d.%d %d-%02d"
              .formatted(a, b, c, year, month));
    }
  }

  /** Reads the 32 bits. */
  public static OsVersion unpack(int bits) {
    return new OsVersion(
        bits >>> 25,
        bits >>> 18 & SEVEN_BITS,
        bits >>> 11 & SEVEN_BITS,
        YEAR_ZERO + (bits >>> 4 & SEVEN_BITS),
        bits & 15);
  }

  /** The 32 bits. */
  public int pack() {
    return a << 25 | b << 18 | c << 11 | (year - YEAR_ZERO) << 4 | month;
  }

  /** Such as {@code 14.0.0 2024-05}. */
  @Override
  public String toString() {
    return "%d.%d.%d %d-%02d".formatted(a, b, c, year, month);
  }
}
