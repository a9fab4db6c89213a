package io.github.avf4j.microdroid.apk;

import io.github.avf4j.attestation.ByteSlice;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;

/**
 * The string pool of a binary XML file; strings are decoded when they are asked for.
 *
 * @param offsets 32 bits for each string
 * @param data what the offsets point into
 * @param utf8 whether the strings are UTF-8, and not UTF-16
 */
record XmlStrings(ByteSlice offsets, ByteSlice data, boolean utf8) {
  private static final int CHUNK_HEADER = 8;
  private static final int POOL_HEADER = 28;
  private static final int UTF8 = 1 << 8;
  private static final int MAX_LENGTH = 1 << 16;

  /** Parses a pool without the 8 bytes before its fields. */
  static XmlStrings parse(ByteSlice body, int headerSize) {
    LittleEndian in = new LittleEndian(body, 0, ApkError.MANIFEST);
    long count = in.u32("the number of strings");
    in.u32("the number of styles");
    long flags = in.u32("the flags");
    long start = in.u32("the start of the strings") - CHUNK_HEADER;
    int table = headerSize - CHUNK_HEADER;
    if (headerSize < POOL_HEADER
        || table > body.length()
        || count > (body.length() - table) / 4
        || start < table + 4 * count
        || start > body.length()) {
      throw in.fail("the string pool's sizes contradict each other");
    }
    return new XmlStrings(
        body.slice(table, (int) (table + 4 * count)), body.slice((int) start), (flags & UTF8) != 0);
  }

  /** The string of an index; {@code user} says where a wrong one stands. */
  String get(long index, LittleEndian user) {
    if (index >= offsets.length() / 4) {
      throw user.fail("there is no string " + index);
    }
    LittleEndian at =
        new LittleEndian(offsets.slice((int) index * 4, (int) index * 4 + 4), 0, ApkError.MANIFEST);
    long offset = at.u32("an offset");
    if (offset > data.length()) {
      throw at.fail("a string starts behind the pool");
    }
    LittleEndian in = new LittleEndian(data.slice((int) offset), 0, ApkError.MANIFEST);
    Charset charset = utf8 ? StandardCharsets.UTF_8 : StandardCharsets.UTF_16LE;
    long length;
    if (utf8) {
      length8(in);
      length = length8(in);
    } else {
      length = 2 * length16(in);
    }
    if (length > MAX_LENGTH) {
      throw in.fail("a string has " + length + " bytes");
    }
    ByteSlice bytes = in.take(length, "a string");
    if ((utf8 ? in.u8("the NUL") : in.u16("the NUL")) != 0) {
      throw in.fail("a string has no NUL after it");
    }
    try {
      return charset.newDecoder().decode(bytes.asByteBuffer()).toString();
    } catch (CharacterCodingException e) {
      throw in.fail("a string is not " + charset);
    }
  }

  private static long length8(LittleEndian in) {
    int first = in.u8("a length");
    return (first & 0x80) == 0 ? first : (first & 0x7f) << 8 | in.u8("a length");
  }

  private static long length16(LittleEndian in) {
    int first = in.u16("a length");
    return (first & 0x8000) == 0 ? first : (first & 0x7fffL) << 16 | in.u16("a length");
  }
}
