package io.github.avf4j.attestation.dice;

import io.github.avf4j.attestation.SecretBytes;
import io.github.avf4j.attestation.cose.CoseAlgorithm;
import java.math.BigInteger;
import java.util.Arrays;
import org.bouncycastle.crypto.digests.SHA512Digest;
import org.bouncycastle.crypto.ec.CustomNamedCurves;
import org.bouncycastle.crypto.macs.HMac;
import org.bouncycastle.crypto.params.KeyParameter;

/**
 * Makes the private scalar of an ECDSA key of a seed, with HMAC-SHA512.
 *
 * <p>It looks like the generator of RFC 6979 but is not: V is not updated after the second K, and
 * is updated twice before each candidate.
 */
final class EcScalarGenerator {
  private static final int SIZE = 64;

  private final byte[] v = new byte[SIZE];
  private final byte[] k = new byte[SIZE];

  private EcScalarGenerator() {
    Arrays.fill(v, (byte) 1);
  }

  static SecretBytes derive(CoseAlgorithm algorithm, byte[] seed) {
    EcScalarGenerator generator = new EcScalarGenerator();
    try {
      generator.seed(seed);
      return algorithm == CoseAlgorithm.ES256
          ? generator.scalar(32, order("secp256r1"))
          : generator.scalar(48, order("secp384r1"));
    } finally {
      Arrays.fill(generator.v, (byte) 0);
      Arrays.fill(generator.k, (byte) 0);
    }
  }

  private void seed(byte[] seed) {
    updateKey((byte) 0, seed);
    updateV();
    updateKey((byte) 1, seed);
  }

  private SecretBytes scalar(int size, BigInteger order) {
    while (true) {
      updateV();
      updateV();
      byte[] candidate = Arrays.copyOf(v, size);
      BigInteger number = new BigInteger(1, candidate);
      if (number.signum() > 0 && number.compareTo(order) < 0) {
        return SecretBytes.takeOver(candidate);
      }
      updateKey((byte) 0, new byte[0]);
    }
  }

  private void updateKey(byte separator, byte[] seed) {
    HMac mac = mac();
    mac.update(v, 0, SIZE);
    mac.update(separator);
    mac.update(seed, 0, seed.length);
    mac.doFinal(k, 0);
  }

  private void updateV() {
    HMac mac = mac();
    mac.update(v, 0, SIZE);
    mac.doFinal(v, 0);
  }

  private HMac mac() {
    HMac mac = new HMac(new SHA512Digest());
    mac.init(new KeyParameter(k));
    return mac;
  }

  private static BigInteger order(String curve) {
    return CustomNamedCurves.getByName(curve).getN();
  }
}
