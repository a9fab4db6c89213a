package io.github.avf4j.microdroid.apk;

import io.github.avf4j.attestation.ByteSlice;

/**
 * Reads little-endian fields of a part of a file, one after the other; what is cut off is refused
 * with its position. Confined to one thread.
 */
final class LittleEndian {
  private final ByteSlice bytes;
  private final long base;
  private final ApkError error;
  private int at;

  /**
   * @param base what turns the slice's offset into the position in the file
   * @param error how the refusals of this structure are called
   */
  LittleEndian(ByteSlice bytes, long base, ApkError error) {
    this.bytes = bytes;
    this.base = base;
    this.error = error;
  }

  boolean hasMore() {
    return at < bytes.length();
  }

  int left() {
    return bytes.length() - at;
  }

  /** The position of the next byte in the file. */
  long position() {
    return base + bytes.offset() + at;
  }

  int u8(String what) {
    return (int) number(1, what);
  }

  int u16(String what) {
    return (int) number(2, what);
  }

  long u32(String what) {
    return number(4, what);
  }

  /** All 64 bits; a value beyond 2^63 is negative. */
  long u64(String what) {
    return number(8, what);
  }

  ByteSlice take(long count, String what) {
    if (count < 0 || count > left()) {
      throw fail("%s needs %d bytes but %d are left".formatted(what, count, left()));
    }
    ByteSlice part = bytes.slice(at, at + (int) count);
    at += (int) count;
    return part;
  }

  /** Bytes after their length in 32 bits. */
  ByteSlice prefixed(String what) {
    return take(u32("the length of " + what), what);
  }

  /** The structure in bytes after their length in 32 bits. */
  LittleEndian nested(String what) {
    return new LittleEndian(prefixed(what), base, error);
  }

  /** Refuses bytes that are left. */
  void end(String what) {
    if (hasMore()) {
      throw fail("%d bytes follow %s".formatted(left(), what));
    }
  }

  ApkException fail(String reason) {
    return new ApkException(error, reason, position());
  }

  private long number(int count, String what) {
    if (count > left()) {
      throw fail("%s is cut off".formatted(what));
    }
    long value = 0;
    for (int i = count - 1; i >= 0; i--) {
      value = value << 8 | bytes.at(at + i);
    }
    at += count;
    return value;
  }
}
