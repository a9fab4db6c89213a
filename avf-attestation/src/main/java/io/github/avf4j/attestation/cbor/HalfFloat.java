package io.github.avf4j.attestation.cbor;

/** Floating point numbers of 16 bits: 1 sign, 5 exponent, 10 fraction (IEEE 754 binary16). */
final class HalfFloat {
  /** What {@link #exactBits} gives for a number that 16 bits cannot hold. */
  static final int INEXACT = -1;

  static final int NAN = 0x7e00;

  private HalfFloat() {}

  static double toDouble(int bits) {
    int exponent = bits >> 10 & 0x1f;
    int fraction = bits & 0x3ff;
    double magnitude;
    if (exponent == 0x1f) {
      magnitude = fraction == 0 ? Double.POSITIVE_INFINITY : Double.NaN;
    } else if (exponent == 0) {
      magnitude = Math.scalb((double) fraction, -24);
    } else {
      magnitude = Math.scalb((double) (fraction | 0x400), exponent - 25);
    }
    return (bits & 0x8000) == 0 ? magnitude : -magnitude;
  }

  /** The 16 bits that hold exactly this number, or {@link #INEXACT}. */
  static int exactBits(double value) {
    if (Double.isNaN(value)) {
      return NAN;
    }
    int sign = Double.doubleToRawLongBits(value) < 0 ? 0x8000 : 0;
    double magnitude = Math.abs(value);
    if (Double.isInfinite(magnitude)) {
      return sign | 0x7c00;
    }
    if (magnitude > 65504) {
      return INEXACT;
    }
    int exponent = Math.max(Math.getExponent(magnitude), -14);
    double scaled = Math.scalb(magnitude, 10 - exponent);
    int integer = (int) scaled;
    if (integer != scaled) {
      return INEXACT;
    }
    // A normal number has bit 10 set, which adds 1 to the exponent field.
    return sign | (exponent + 14 << 10) + integer;
  }
}
