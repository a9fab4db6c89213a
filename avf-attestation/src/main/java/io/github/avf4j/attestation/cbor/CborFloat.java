package io.github.avf4j.attestation.cbor;

import io.github.avf4j.attestation.ByteSlice;
import org.jspecify.annotations.Nullable;

/** A floating point number in its shortest form: major type 7. Immutable and thread-safe. */
public final class CborFloat extends CborValue {
  private final double value;

  CborFloat(double value, @Nullable ByteSlice encoded) {
    super(encoded);
    this.value = value;
  }

  /** A number; every NaN becomes the one with encoding f97e00. */
  public static CborFloat of(double value) {
    return new CborFloat(value, null);
  }

  /** The number. */
  public double value() {
    return value;
  }

  @Override
  public String kind() {
    return "floating point number";
  }

  @Override
  void writeTo(CborWriter writer) {
    writer.floating(value);
  }
}
