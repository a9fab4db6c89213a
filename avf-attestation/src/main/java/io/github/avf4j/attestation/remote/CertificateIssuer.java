package io.github.avf4j.attestation.remote;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.cose.CoseAlgorithm;
import io.github.avf4j.attestation.cose.CosePrivateKey;
import java.math.BigInteger;
import java.security.SecureRandom;

/** Writes the certificate of a client machine's key. Thread-safe. */
final class CertificateIssuer {
  /** The common name of every subject. */
  static final String COMMON_NAME = "Android Protected Virtual Machine Key";

  private static final int SERIAL_SIZE = 16;

  private CertificateIssuer() {}

  /** Issuer and validity are those of the provisioned certificate. */
  static ByteSlice issue(ClientVm client, CosePrivateKey key, X509Certificate issuer) {
    if (key.algorithm() != CoseAlgorithm.ES256) {
      throw new IllegalArgumentException("provisioned key must be of P-256");
    }
    byte[] extension =
        Der.sequence(
            Der.oid(AttestationExtension.OID),
            Der.octets(
                new AttestationExtension(client.challenge(), client.secure(), client.components())
                    .encode()));
    byte[] algorithm = X509Signatures.ECDSA_SHA256.toByteArray();
    byte[] signedPart =
        Der.sequence(
            Der.element(0xa0, Der.integer(2)),
            Der.integer(serialNumber()),
            algorithm,
            issuer.subject().toByteArray(),
            issuer.validity().toByteArray(),
            commonName(COMMON_NAME),
            client.publicKey().toSubjectPublicKeyInfo(),
            Der.element(0xa3, Der.sequence(extension)));
    return ByteSlice.takeOver(
        Der.sequence(
            signedPart, algorithm, Der.bits(EcDer.signature(key.sign(signedPart)))));
  }

  private static byte[] commonName(String name) {
    return Der.sequence(
        Der.element(DerReader.SET, Der.sequence(Der.oid("2.5.4.3"), Der.utf8(name))));
  }

  private static BigInteger serialNumber() {
    byte[] random = new byte[SERIAL_SIZE];
    SecureRandom source = new SecureRandom();
    BigInteger serial;
    do {
      source.nextBytes(random);
      serial = new BigInteger(1, random);
    } while (serial.signum() == 0);
    return serial;
  }
}
