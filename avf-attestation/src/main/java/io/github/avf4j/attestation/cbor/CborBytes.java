package io.github.avf4j.attestation.cbor;

import io.github.avf4j.attestation.ByteSlice;
import org.jspecify.annotations.Nullable;

/** A byte string: major type 2. Immutable and thread-safe. */
public final class CborBytes extends CborValue {
  private final ByteSlice value;

  CborBytes(ByteSlice value, @Nullable ByteSlice encoded) {
    super(encoded);
    this.value = value;
  }

  /** A byte string. */
  public static CborBytes of(ByteSlice value) {
    return new CborBytes(value, null);
  }

  /** The bytes, a part of the same document. */
  public ByteSlice value() {
    return value;
  }

  @Override
  public String kind() {
    return "byte string";
  }

  @Override
  public ByteSlice asBytes() {
    return value;
  }

  @Override
  void writeTo(CborWriter writer) {
    writer.bytes(value);
  }
}
