package io.github.avf4j.attestation.cbor;

import io.github.avf4j.attestation.ByteSlice;
import java.math.BigInteger;
import org.jspecify.annotations.Nullable;

/** An integer from -2^64 to 2^64 - 1: major types 0 and 1. Immutable and thread-safe. */
public final class CborInteger extends CborValue {
  private final boolean negative;
  private final long argument;

  CborInteger(boolean negative, long argument, @Nullable ByteSlice encoded) {
    super(encoded);
    this.negative = negative;
    this.argument = argument;
  }

  /** An integer of the range of {@code long}. */
  public static CborInteger of(long value) {
    return new CborInteger(value < 0, value < 0 ? ~value : value, null);
  }

  /** A non-negative integer whose 64 bits are given, so that -1 means 2^64 - 1. */
  public static CborInteger ofUnsigned(long bits) {
    return new CborInteger(false, bits, null);
  }

  /** Whether this is of major type 0, so at least 0. */
  public boolean isUnsigned() {
    return !negative;
  }

  /** Whether the value fits in a {@code long}. */
  public boolean isLong() {
    return argument >= 0;
  }

  /** The value; throws {@link CborException} where it does not fit in a {@code long}. */
  public long longValue() {
    if (argument < 0) {
      throw new CborException("integer " + bigValue() + " is beyond 64 bits signed", position());
    }
    return negative ? ~argument : argument;
  }

  /** The 64 bits of a non-negative value; throws {@link CborException} where it is negative. */
  public long unsignedValue() {
    if (negative) {
      throw new CborException(
          "expected a non-negative integer but found " + bigValue(), position());
    }
    return argument;
  }

  /** The value, whatever its size. */
  public BigInteger bigValue() {
    BigInteger magnitude = new BigInteger(Long.toUnsignedString(argument));
    return negative ? magnitude.not() : magnitude;
  }

  /** Whether the value is this one. */
  public boolean is(long value) {
    return argument == (value < 0 ? ~value : value) && negative == value < 0;
  }

  @Override
  public String kind() {
    return "integer";
  }

  @Override
  public CborInteger asInteger() {
    return this;
  }

  @Override
  void writeTo(CborWriter writer) {
    writer.head(negative ? 1 : 0, argument);
  }
}
