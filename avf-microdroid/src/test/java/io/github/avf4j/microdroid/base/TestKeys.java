package io.github.avf4j.microdroid.base;

import io.github.avf4j.attestation.avb.AvbPublicKey;
import java.math.BigInteger;

/** Keys that sign nothing. */
final class TestKeys {
  private TestKeys() {}

  /** A key that fits in form; nobody has the private one. */
  static AvbPublicKey otherPublicKey() {
    BigInteger modulus = BigInteger.ONE.shiftLeft(4095).add(BigInteger.valueOf(12345));
    return AvbPublicKey.of(modulus, BigInteger.valueOf(65537));
  }
}
