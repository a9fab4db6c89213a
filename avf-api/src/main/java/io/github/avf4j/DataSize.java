package io.github.avf4j;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * An amount of memory or storage.
 *
 * <p>Thread-safe.
 *
 * @param bytes the amount in bytes, zero or more
 */
public record DataSize(long bytes) implements Comparable<DataSize> {
  private static final Pattern TEXT = Pattern.compile("(\\d{1,18})\\s*([KMGT]?)(?:I?B)?");

  /** Rejects a negative amount. */
  public DataSize {
    if (bytes < 0) {
      throw new IllegalArgumentException("a size must not be negative but was " + bytes);
    }
  }

  /** Returns a size of {@code bytes} bytes. */
  public static DataSize ofBytes(long bytes) {
    return new DataSize(bytes);
  }

  /** Returns a size of {@code kibibytes} times 1024 bytes. */
  public static DataSize ofKibibytes(long kibibytes) {
    return new DataSize(Math.multiplyExact(kibibytes, 1L << 10));
  }

  /** Returns a size of {@code mebibytes} times 1024² bytes. */
  public static DataSize ofMebibytes(long mebibytes) {
    return new DataSize(Math.multiplyExact(mebibytes, 1L << 20));
  }

  /** Returns a size of {@code gibibytes} times 1024³ bytes. */
  public static DataSize ofGibibytes(long gibibytes) {
    return new DataSize(Math.multiplyExact(gibibytes, 1L << 30));
  }

  /**
   * Reads a size such as {@code 256M}, {@code 1GiB}, {@code 4096}. Units are powers of 1024 and may
   * be written in any case.
   *
   * @throws IllegalArgumentException if {@code text} is no size
   */
  public static DataSize parse(String text) {
    Matcher matcher = TEXT.matcher(text.strip().toUpperCase(Locale.ROOT));
    if (!matcher.matches()) {
      throw new IllegalArgumentException(
          "a size is a number with an optional unit K, M, G or T, such as 256M, but was \""
              + text
              + '"');
    }
    int power = "KMGT".indexOf(matcher.group(2)) + (matcher.group(2).isEmpty() ? 0 : 1);
    try {
      return new DataSize(Math.multiplyExact(Long.parseLong(matcher.group(1)), 1L << 10 * power));
    } catch (ArithmeticException e) {
      throw new IllegalArgumentException("the size \"" + text + "\" is too large", e);
    }
  }

  @Override
  public int compareTo(DataSize other) {
    return Long.compare(bytes, other.bytes);
  }

  /** Returns the size with the largest unit that divides it, such as {@code 256 MiB}. */
  @Override
  public String toString() {
    String[] units = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    long value = bytes;
    int unit = 0;
    while (unit < units.length - 1 && value != 0 && value % 1024 == 0) {
      value /= 1024;
      unit++;
    }
    return value + " " + units[unit];
  }
}
