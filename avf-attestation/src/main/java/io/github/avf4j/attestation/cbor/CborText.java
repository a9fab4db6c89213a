package io.github.avf4j.attestation.cbor;

import io.github.avf4j.attestation.ByteSlice;
import org.jspecify.annotations.Nullable;

/** A text string, valid UTF-8: major type 3. Immutable and thread-safe. */
public final class CborText extends CborValue {
  private final String value;

  CborText(String value, @Nullable ByteSlice encoded) {
    super(encoded);
    this.value = value;
  }

  /** A text string. */
  public static CborText of(String value) {
    return new CborText(value, null);
  }

  /** The text. */
  public String value() {
    return value;
  }

  @Override
  public String kind() {
    return "text string";
  }

  @Override
  public String asText() {
    return value;
  }

  @Override
  void writeTo(CborWriter writer) {
    writer.text(value);
  }
}
