package io.github.avf4j.microdroid.internal;

import io.github.avf4j.attestation.ByteSlice;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/**
 * Reads one message in the protobuf wire format, field by field. Groups and overlong numbers are
 * refused; positions are those in the document that the slice is a part of.
 *
 * <p>Confined to one thread.
 */
public final class ProtobufReader {
  private static final int MAX_VARINT = 10;

  private final ByteSlice in;
  private final Refusal refusal;
  private int position;
  private int field;
  private int wireType;
  private int tagAt;

  /** Makes what is thrown for a message that is refused. */
  @FunctionalInterface
  public interface Refusal {
    /**
     * Makes the exception.
     *
     * @param position of the field in the document
     */
    RuntimeException of(String reason, long position);
  }

  /** Makes a reader that stands before the first field. */
  public ProtobufReader(ByteSlice in, Refusal refusal) {
    this.in = in;
    this.refusal = refusal;
  }

  /** Goes to the next field; false at the end. */
  public boolean next() {
    if (position == in.length()) {
      return false;
    }
    tagAt = position;
    long tag = varint();
    field = (int) (tag >>> 3);
    wireType = (int) tag & 7;
    if (tag >>> 3 == 0 || tag >>> 3 > 0x1fff_ffffL) {
      throw refused("a field number must be in 1..536870911");
    }
    return true;
  }

  /** The number of the field that is read. */
  public int field() {
    return field;
  }

  /** The field as a number of 64 bits. */
  public long number() {
    require(ProtobufWriter.VARINT);
    return varint();
  }

  /** A number that must fit into 32 bits. */
  public long unsigned32() {
    long value = number();
    if (value < 0 || value > 0xffff_ffffL) {
      throw refused("field " + field + " must have 32 bits but is " + Long.toUnsignedString(value));
    }
    return value;
  }

  /** The field as a flag. */
  public boolean flag() {
    return number() != 0;
  }

  /** The field as bytes. */
  public ByteSlice bytes() {
    require(ProtobufWriter.BYTES);
    long length = varint();
    if (length < 0 || length > in.length() - position) {
      throw refused(
          "field %d has %s bytes, but the message ends %d bytes after its length"
              .formatted(field, Long.toUnsignedString(length), in.length() - position));
    }
    ByteSlice value = in.slice(position, position + (int) length);
    position += (int) length;
    return value;
  }

  /** The field as text, which must be UTF-8. */
  public String text() {
    ByteBuffer bytes = bytes().asByteBuffer();
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(bytes).toString();
    } catch (CharacterCodingException e) {
      throw refused("field " + field + " is not UTF-8");
    }
  }

  /** The field as a message. */
  public ProtobufReader message() {
    return new ProtobufReader(bytes(), refusal);
  }

  /** Passes over a field that is not known. */
  public void skip() {
    switch (wireType) {
      case ProtobufWriter.VARINT -> varint();
      case ProtobufWriter.BYTES -> bytes();
      case ProtobufWriter.FIXED64 -> skip(Long.BYTES);
      case ProtobufWriter.FIXED32 -> skip(Integer.BYTES);
      default -> throw refused("field " + field + " has the unknown wire type " + wireType);
    }
  }

  /** Makes a refusal at the field that was read last. */
  public RuntimeException refused(String reason) {
    return refusal.of(reason, in.offset() + (long) tagAt);
  }

  private void skip(int count) {
    if (count > in.length() - position) {
      throw refused("field " + field + " is cut off");
    }
    position += count;
  }

  private void require(int expected) {
    if (wireType != expected) {
      throw refused("field %d must have wire type %d, not %d".formatted(field, expected, wireType));
    }
  }

  private long varint() {
    long value = 0;
    for (int i = 0; i < MAX_VARINT; i++) {
      if (position == in.length()) {
        throw refused("a number is cut off");
      }
      int next = in.at(position++);
      if (i == MAX_VARINT - 1 && next > 1) {
        throw refused("a number has more than 64 bits");
      }
      value |= (long) (next & 0x7f) << (7 * i);
      if (next < 0x80) {
        return value;
      }
    }
    throw refused("a number has more than 64 bits");
  }
}
