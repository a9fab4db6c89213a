package io.github.avf4j.attestation.avb;

import io.github.avf4j.attestation.ByteSlice;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** Writes one descriptor: fixed fields in order, then parts. Confined to one thread. */
final class DescriptorWriter {
  // Far more than any image holds; what is read from longer bytes can be written again.
  private static final int MAX_SIZE = 1 << 30;

  private final ByteBuffer out;

  DescriptorWriter(long tag, int fixedSize, long partsSize) {
    long size = (fixedSize + partsSize + 7) / 8 * 8;
    if (size > MAX_SIZE) {
      throw new AvbException(
          AvbException.Kind.REQUEST,
          "a descriptor has at most %d bytes but this would have %d".formatted(MAX_SIZE, size));
    }
    this.out = ByteBuffer.allocate((int) size);
    out.putLong(tag).putLong(size - DescriptorReader.HEAD);
  }

  DescriptorWriter u32(long value) {
    out.putInt((int) value);
    return this;
  }

  DescriptorWriter u64(long value) {
    out.putLong(value);
    return this;
  }

  /** Skips bytes, which stay zero. */
  DescriptorWriter skip(int count) {
    out.position(out.position() + count);
    return this;
  }

  DescriptorWriter bytes(byte[] part) {
    out.put(part);
    return this;
  }

  DescriptorWriter bytes(ByteSlice part) {
    out.put(part.asByteBuffer());
    return this;
  }

  byte[] done() {
    return out.array();
  }

  static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  /** A hash name in its field of 32 bytes. */
  DescriptorWriter hashName(String name) {
    byte[] field = new byte[32];
    byte[] ascii = utf8(name);
    if (ascii.length >= field.length) {
      throw new AvbException(
          AvbException.Kind.REQUEST, "the hash name \"" + name + "\" is longer than 31 bytes");
    }
    System.arraycopy(ascii, 0, field, 0, ascii.length);
    return bytes(field);
  }
}
