package io.github.avf4j.attestation.avb;

import io.github.avf4j.attestation.ByteSlice;
import java.nio.charset.StandardCharsets;

/**
 * A named value.
 *
 * @param key any text
 * @param value any bytes, mostly text
 */
public record PropertyDescriptor(String key, ByteSlice value) implements AvbDescriptor {
  static final long TAG = 0;
  private static final int FIXED = 32;

  /** A property whose value is text. */
  public static PropertyDescriptor of(String key, String value) {
    return new PropertyDescriptor(key, ByteSlice.takeOver(value.getBytes(StandardCharsets.UTF_8)));
  }

  static PropertyDescriptor read(ByteSlice bytes) {
    DescriptorReader in = new DescriptorReader(bytes, FIXED);
    String key = in.text(in.u64(16));
    in.zeroByte();
    ByteSlice value = in.part(in.u64(24));
    in.zeroByte();
    in.end();
    return new PropertyDescriptor(key, value);
  }

  @Override
  public long tag() {
    return TAG;
  }

  @Override
  public byte[] encode() {
    byte[] name = DescriptorWriter.utf8(key);
    return new DescriptorWriter(TAG, FIXED, name.length + 1L + value.length() + 1)
        .u64(name.length)
        .u64(value.length())
        .bytes(name)
        .skip(1)
        .bytes(value)
        .done();
  }
}
