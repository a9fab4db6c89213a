package io.github.avf4j.attestation.remote;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.SecretBytes;
import io.github.avf4j.attestation.cose.CoseAlgorithm;
import io.github.avf4j.attestation.cose.CosePrivateKey;
import java.math.BigInteger;
import java.security.SecureRandom;
import java.util.Arrays;

/** P-256 keys and signatures in the forms of X.509, in DER. Thread-safe. */
final class EcDer {
  static final String P256 = "1.2.840.10045.3.1.7";

  private static final int SIZE = 32;
  private static final int UNCOMPRESSED = 4;
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

  /** An ECPrivateKey (RFC 5915) with curve and public key. The caller closes it. */
  static SecretBytes ecPrivateKey(CosePrivateKey key) {
    byte[] point = new byte[1 + 2 * SIZE];
    point[0] = UNCOMPRESSED;
    key.publicKey().raw().copyTo(point, 1);
    byte[] tail =
        concat(Der.element(0xa0, Der.oid(P256)), Der.element(0xa1, Der.bits(point)));
    return key.secret()
        .use(
            scalar -> {
              byte[] octets = Der.octets(scalar);
              try {
                return SecretBytes.takeOver(Der.sequence(Der.integer(1), octets, tail));
              } finally {
                Arrays.fill(octets, (byte) 0);
              }
            });
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
