package io.github.avf4j.microdroid.apk;

import io.github.avf4j.attestation.ByteSlice;
import java.io.ByteArrayOutputStream;

/** Writes little-endian fields one after the other. Confined to one thread. */
final class LittleEndianWriter {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  LittleEndianWriter u8(int value) {
    return number(value, 1);
  }

  LittleEndianWriter u32(long value) {
    return number(value, 4);
  }

  LittleEndianWriter u64(long value) {
    return number(value, 8);
  }

  LittleEndianWriter bytes(byte[] bytes) {
    out.writeBytes(bytes);
    return this;
  }

  /** The bytes after their length in 32 bits. */
  LittleEndianWriter prefixed(ByteSlice bytes) {
    return u32(bytes.length()).bytes(bytes.toByteArray());
  }

  byte[] toByteArray() {
    return out.toByteArray();
  }

  private LittleEndianWriter number(long value, int count) {
    for (int i = 0; i < count; i++) {
      out.write((int) (value >> 8 * i));
    }
    return this;
  }
}
