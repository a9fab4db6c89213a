package io.github.avf4j.attestation.remote;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.SecretBytes;
import io.github.avf4j.attestation.cose.CoseAlgorithm;
import io.github.avf4j.attestation.cose.CosePrivateKey;
import java.math.BigInteger;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.HexFormat;

/** P-256 keys and signatures in the forms of X.509, in DER. Thread-safe. */
final class EcDer {
  private static final int SIZE = 32;

  /** The sequence, version 1, and the head of the secret. */
  private static final byte[] EC_PRIVATE_KEY_HEAD = HexFormat.of().parseHex("30770201010420");

  /** The curve, and the heads of the public key up to its uncompressed point. */
  private static final byte[] EC_PRIVATE_KEY_MIDDLE =
      HexFormat.of().parseHex("a00a06082a8648ce3d030107a14403420004");

  private static final int EC_PRIVATE_KEY_SIZE =
      EC_PRIVATE_KEY_HEAD.length + SIZE + EC_PRIVATE_KEY_MIDDLE.length + 2 * SIZE;
  private static final BigInteger ORDER =
      new BigInteger("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", 16);

  private EcDer() {}

  /** A fresh key pair. The caller closes it. */
  static CosePrivateKey generate() {
    SecureRandom random = new SecureRandom();
    byte[] scalar = new byte[SIZE];
    BigInteger number;
    do {
      random.nextBytes(scalar);
      number = new BigInteger(1, scalar);
    } while (number.signum() == 0 || number.compareTo(ORDER) >= 0);
    try (SecretBytes secret = SecretBytes.takeOver(scalar)) {
      return CosePrivateKey.ofSecret(CoseAlgorithm.ES256, secret);
    }
  }

  /**
   * An ECPrivateKey (RFC 5915) with curve and public key, written in place so that no copy of the
   * secret stays behind. The caller closes it.
   */
  static SecretBytes ecPrivateKey(CosePrivateKey key) {
    byte[] out = Arrays.copyOf(EC_PRIVATE_KEY_HEAD, EC_PRIVATE_KEY_SIZE);
    key.secret()
        .use(
            scalar -> {
              System.arraycopy(scalar, 0, out, EC_PRIVATE_KEY_HEAD.length, SIZE);
              return SIZE;
            });
    System.arraycopy(
        EC_PRIVATE_KEY_MIDDLE,
        0,
        out,
        EC_PRIVATE_KEY_HEAD.length + SIZE,
        EC_PRIVATE_KEY_MIDDLE.length);
    key.publicKey().raw().copyTo(out, EC_PRIVATE_KEY_SIZE - 2 * SIZE);
    return SecretBytes.takeOver(out);
  }

  /** The key of an ECPrivateKey of P-256. The caller closes it. */
  static CosePrivateKey parseEcPrivateKey(byte[] der) {
    DerReader reader =
        DerReader.only(ByteSlice.takeOver(der), DerReader.SEQUENCE, "private key").open();
    if (!reader.integer("version of the private key").equals(BigInteger.ONE)) {
      throw new RemoteAttestationException("private key must be of version 1", -1);
    }
    ByteSlice scalar = reader.next(DerReader.OCTET_STRING, "secret of the private key").content();
    if (scalar.length() != SIZE) {
      throw new RemoteAttestationException("private key must be one of P-256", -1);
    }
    try (SecretBytes secret = SecretBytes.takeOver(scalar.toByteArray())) {
      return CosePrivateKey.ofSecret(CoseAlgorithm.ES256, secret);
    }
  }

  /** An ECDSA signature as X.509 has it, of r and s. */
  static byte[] signature(byte[] raw) {
    int half = raw.length / 2;
    return Der.sequence(
        Der.integer(new BigInteger(1, Arrays.copyOf(raw, half))),
        Der.integer(new BigInteger(1, Arrays.copyOfRange(raw, half, raw.length))));
  }

  /** r and s, 32 bytes each, of an ECDSA signature as X.509 has it. */
  static byte[] rawSignature(ByteSlice der) {
    DerReader reader = DerReader.only(der, DerReader.SEQUENCE, "signature").open();
    byte[] raw = new byte[2 * SIZE];
    put(reader.integer("r"), raw, SIZE, der);
    put(reader.integer("s"), raw, 2 * SIZE, der);
    reader.end("the signature");
    return raw;
  }

  private static void put(BigInteger value, byte[] target, int end, ByteSlice der) {
    if (value.signum() < 0 || value.bitLength() > 8 * SIZE) {
      throw new RemoteAttestationException("signature is not one of P-256", der.offset());
    }
    byte[] bytes = value.toByteArray();
    int length = Math.min(bytes.length, SIZE);
    System.arraycopy(bytes, bytes.length - length, target, end - length, length);
  }

  static byte[] concat(byte[] first, byte[] second) {
    byte[] both = Arrays.copyOf(first, first.length + second.length);
    System.arraycopy(second, 0, both, first.length, second.length);
    return both;
  }
}
