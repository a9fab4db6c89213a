package io.github.avf4j.attestation.avb;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.avb.AvbException.Kind;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/**
 * Reads the fields of one descriptor: numbers at fixed places, then parts one after the other.
 * Confined to one thread.
 */
final class DescriptorReader {
  static final int HEAD = 16;

  private final ByteSlice bytes;
  private final ByteBuffer numbers;
  private int at;

  /**
   * Starts a descriptor whose parts begin after {@code fixedSize} bytes.
   *
   * @param bytes the whole descriptor, head included
   */
  DescriptorReader(ByteSlice bytes, int fixedSize) {
    if (bytes.length() < fixedSize) {
      throw new AvbException(
          Kind.DESCRIPTOR_HEADER,
          "the descriptor needs %d bytes but has %d".formatted(fixedSize, bytes.length()),
          bytes.offset());
    }
    this.bytes = bytes;
    this.numbers = bytes.asByteBuffer();
    this.at = fixedSize;
  }

  long u64(int offset) {
    return numbers.getLong(offset);
  }

  long u32(int offset) {
    return Integer.toUnsignedLong(numbers.getInt(offset));
  }

  int bits32(int offset) {
    return numbers.getInt(offset);
  }

  /** A length that stands at an offset, before it is known to fit. */
  ByteSlice part(long length) {
    if (length < 0 || length > bytes.length() - at) {
      throw new AvbException(
          Kind.DESCRIPTOR_SIZE,
          "a part of %s bytes does not fit into the descriptor"
              .formatted(Long.toUnsignedString(length)),
          bytes.offset() + (long) at);
    }
    ByteSlice part = bytes.slice(at, at + (int) length);
    at += (int) length;
    return part;
  }

  String text(long length) {
    return utf8(part(length));
  }

  void zeroByte() {
    if (part(1).at(0) != 0) {
      throw new AvbException(
          Kind.DESCRIPTOR_CONTENTS, "a NUL is missing", bytes.offset() + at - 1L);
    }
  }

  /** A name that zeros fill up to a fixed length. */
  String paddedName(int offset, int length) {
    int end = offset;
    while (end < offset + length && bytes.at(end) != 0) {
      end++;
    }
    return utf8(bytes.slice(offset, end));
  }

  /** Checks that the parts fill the descriptor up to the zeros that round it to 8. */
  void end() {
    int expected = (at + 7) / 8 * 8;
    if (bytes.length() != expected) {
      throw new AvbException(
          Kind.DESCRIPTOR_SIZE,
          "the parts take %d bytes but the descriptor says %d".formatted(expected, bytes.length()),
          bytes.offset() + 8L);
    }
  }

  private static String utf8(ByteSlice text) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(text.asByteBuffer()).toString();
    } catch (CharacterCodingException e) {
      throw new AvbException(Kind.DESCRIPTOR_UTF8, "text is not UTF-8", text.offset());
    }
  }
}
