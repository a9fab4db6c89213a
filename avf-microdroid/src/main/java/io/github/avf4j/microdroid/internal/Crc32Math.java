package io.github.avf4j.microdroid.internal;

/**
 * CRC-32 of joined and repeated bytes without looking at each: an image can claim 2^58 bytes of
 * zeros. Arithmetic on polynomials over GF(2), reflected as in zlib.
 */
public final class Crc32Math {
  private static final int POLYNOMIAL = 0xedb88320;

  /** The polynomial 1. */
  private static final int ONE = 0x80000000;

  /** The polynomial x^8. */
  private static final int BYTE = ONE >>> 8;

  private Crc32Math() {}

  /** The CRC-32 of {@code a} followed by {@code b}, which has {@code length} bytes. */
  public static int joined(int a, int b, long length) {
    return multiply(power(length), a) ^ b;
  }

  /** The CRC-32 of {@code unit} bytes with the CRC-32 {@code crc}, {@code count} times. */
  public static int repeated(int crc, long unit, long count) {
    int result = 0;
    int square = crc;
    long length = unit;
    for (long left = count; left > 0; left >>>= 1) {
      if ((left & 1) != 0) {
        result = joined(result, square, length);
      }
      square = joined(square, square, length);
      length <<= 1;
    }
    return result;
  }

  /** x^(8 length) modulo the polynomial. */
  private static int power(long length) {
    int result = ONE;
    int square = BYTE;
    for (long left = length; left > 0; left >>>= 1) {
      if ((left & 1) != 0) {
        result = multiply(result, square);
      }
      square = multiply(square, square);
    }
    return result;
  }

  private static int multiply(int a, int b) {
    int product = 0;
    int shifted = b;
    for (int bit = ONE; bit != 0; bit >>>= 1) {
      if ((a & bit) != 0) {
        product ^= shifted;
      }
      shifted = (shifted & 1) == 0 ? shifted >>> 1 : shifted >>> 1 ^ POLYNOMIAL;
    }
    return product;
  }
}
