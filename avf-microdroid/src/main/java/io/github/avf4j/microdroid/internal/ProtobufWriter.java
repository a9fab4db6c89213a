package io.github.avf4j.microdroid.internal;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/**
 * Writes one message in the protobuf wire format; fields with their default value are left out, as
 * proto3 has it, and come in the order of the calls.
 *
 * <p>Confined to one thread.
 */
public final class ProtobufWriter {
  static final int VARINT = 0;
  static final int FIXED64 = 1;
  static final int BYTES = 2;
  static final int FIXED32 = 5;

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  /** Starts an empty message. */
  public ProtobufWriter() {}

  /** Writes a number, unless it is 0. */
  public ProtobufWriter number(int field, long value) {
    if (value != 0) {
      tag(field, VARINT);
      varint(value);
    }
    return this;
  }

  /** Writes a flag, if it is set. */
  public ProtobufWriter flag(int field, boolean value) {
    return number(field, value ? 1 : 0);
  }

  /** Writes a text, unless it is empty. */
  public ProtobufWriter text(int field, String value) {
    return bytes(field, value.getBytes(StandardCharsets.UTF_8));
  }

  /** Writes one text of several, also if it is empty. */
  public ProtobufWriter element(int field, String value) {
    return message(field, value.getBytes(StandardCharsets.UTF_8));
  }

  /** Writes bytes, unless there are none. */
  public ProtobufWriter bytes(int field, byte[] value) {
    return value.length == 0 ? this : message(field, value);
  }

  /** Writes a field even if it is empty, as messages and the parts of a oneof are. */
  public ProtobufWriter message(int field, byte[] value) {
    tag(field, BYTES);
    varint(value.length);
    out.writeBytes(value);
    return this;
  }

  /** The message. */
  public byte[] toByteArray() {
    return out.toByteArray();
  }

  private void tag(int field, int wireType) {
    varint((long) field << 3 | wireType);
  }

  private void varint(long value) {
    long left = value;
    while ((left & ~0x7fL) != 0) {
      out.write((int) (left & 0x7f | 0x80));
      left >>>= 7;
    }
    out.write((int) left);
  }
}
