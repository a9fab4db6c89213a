package io.github.avf4j.attestation.cbor;

import io.github.avf4j.attestation.ByteSlice;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One CBOR item, with all that it contains.
 *
 * <p>The encoding is deterministic and keeps the order of map entries, so two values are equal
 * exactly when their encodings are the same bytes. A value that was decoded knows these bytes and
 * where they stand; a value made here is encoded when first asked.
 *
 * <p>The {@code asX} methods are casts: they throw {@link CborException}, with the position, when
 * the item is of another kind. Immutable and thread-safe.
 */
public abstract sealed class CborValue
    permits CborInteger, CborBytes, CborText, CborArray, CborMap, CborTag, CborSimple, CborFloat {
  private @Nullable ByteSlice encoded;
  private final boolean decoded;

  CborValue(@Nullable ByteSlice encoded) {
    this.encoded = encoded;
    this.decoded = encoded != null;
  }

  /** An integer. */
  public static CborInteger of(long value) {
    return CborInteger.of(value);
  }

  /** A text string. */
  public static CborText of(String value) {
    return CborText.of(value);
  }

  /** A byte string with a copy of the bytes. */
  public static CborBytes of(byte[] value) {
    return CborBytes.of(ByteSlice.copyOf(value));
  }

  /** A byte string. */
  public static CborBytes of(ByteSlice value) {
    return CborBytes.of(value);
  }

  /** False or true. */
  public static CborSimple of(boolean value) {
    return value ? CborSimple.TRUE : CborSimple.FALSE;
  }

  /** Null. */
  public static CborSimple ofNull() {
    return CborSimple.NULL;
  }

  /** The exact bytes of this item: those it was decoded from, or its deterministic encoding. */
  public final ByteSlice encoded() {
    ByteSlice bytes = encoded;
    if (bytes == null) {
      CborWriter writer = new CborWriter();
      writeTo(writer);
      bytes = ByteSlice.takeOver(writer.toByteArray());
      encoded = bytes;
    }
    return bytes;
  }

  /**
   * Where the first byte stands in the document this was decoded from; -1 for a value made here.
   */
  public final long position() {
    ByteSlice bytes = encoded;
    return decoded && bytes != null ? bytes.offset() : -1;
  }

  /** What this is, in words for messages: "map", "text string". */
  public abstract String kind();

  abstract void writeTo(CborWriter writer);

  /** This as an integer. */
  public CborInteger asInteger() {
    throw unexpected("integer");
  }

  /** The value of an integer of the range of {@code long}. */
  public long asLong() {
    return asInteger().longValue();
  }

  /** The bytes of a byte string. */
  public ByteSlice asBytes() {
    throw unexpected("byte string");
  }

  /** The bytes of a byte string of exactly this length. */
  public final ByteSlice asBytes(int length) {
    ByteSlice bytes = asBytes();
    if (bytes.length() != length) {
      throw new CborException(
          "expected a byte string of " + length + " bytes but it has " + bytes.length(),
          position());
    }
    return bytes;
  }

  /** The content of a text string. */
  public String asText() {
    throw unexpected("text string");
  }

  /** This as an array. */
  public CborArray asArray() {
    throw unexpected("array");
  }

  /** The items of an array of exactly this length. */
  public final List<CborValue> asArray(int length) {
    List<CborValue> items = asArray().items();
    if (items.size() != length) {
      throw new CborException(
          "expected an array of " + length + " items but it has " + items.size(), position());
    }
    return items;
  }

  /** This as a map. */
  public CborMap asMap() {
    throw unexpected("map");
  }

  /** The value of false or true. */
  public boolean asBoolean() {
    throw unexpected("false or true");
  }

  /** Whether this is null. */
  public boolean isNull() {
    return false;
  }

  private CborException unexpected(String expected) {
    return new CborException("expected " + expected + " but found " + kind(), position());
  }

  /** Whether both have the same encoding; the order of map entries counts. */
  @Override
  public final boolean equals(Object other) {
    return other instanceof CborValue that && encoded().equals(that.encoded());
  }

  @Override
  public final int hashCode() {
    return encoded().hashCode();
  }

  /** The kind and the encoding in hexadecimal digits, shortened. */
  @Override
  public final String toString() {
    return kind() + " " + encoded();
  }
}
