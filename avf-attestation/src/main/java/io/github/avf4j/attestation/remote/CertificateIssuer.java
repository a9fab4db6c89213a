package io.github.avf4j.attestation.remote;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.cose.CoseAlgorithm;
import io.github.avf4j.attestation.cose.CosePrivateKey;
import io.github.avf4j.attestation.cose.CosePublicKey;
import java.math.BigInteger;
import java.security.SecureRandom;

/** Writes certificates that are signed with keys of P-256. Thread-safe. */
final class CertificateIssuer {
  /** The common name of every machine's key. */
  static final String COMMON_NAME = "Android Protected Virtual Machine Key";

  private static final int SERIAL_SIZE = 16;

  private CertificateIssuer() {}

  /** The certificate of a machine's key; issuer and validity are those of the provisioned one. */
  static ByteSlice issue(ClientVm client, CosePrivateKey key, X509Certificate issuer) {
    byte[] extension =
        new AttestationExtension(client.challenge(), client.secure(), client.components()).encode();
    return sign(
        key,
        issuer.subject().toByteArray(),
        issuer.validity().toByteArray(),
        commonName(COMMON_NAME),
        client.publicKey(),
        extension(AttestationExtension.OID, false, extension));
  }

  static ByteSlice sign(
      CosePrivateKey key,
      byte[] issuer,
      byte[] validity,
      byte[] subject,
      CosePublicKey publicKey,
      byte[]... extensions) {
    if (key.algorithm() != CoseAlgorithm.ES256) {
      throw new IllegalArgumentException(
          "key that signs certificates must be of P-256 but is of " + key.algorithm());
    }
    byte[] algorithm = X509Signatures.ECDSA_SHA256.toByteArray();
    byte[] signedPart =
        Der.sequence(
            Der.element(0xa0, Der.integer(2)),
            Der.integer(serialNumber()),
            algorithm,
            issuer,
            validity,
            subject,
            publicKey.toSubjectPublicKeyInfo(),
            Der.element(0xa3, Der.sequence(extensions)));
    return ByteSlice.takeOver(
        Der.sequence(signedPart, algorithm, Der.bits(EcDer.signature(key.sign(signedPart)))));
  }

  static byte[] extension(String oid, boolean critical, byte[] value) {
    return critical
        ? Der.sequence(Der.oid(oid), Der.bool(true), Der.octets(value))
        : Der.sequence(Der.oid(oid), Der.octets(value));
  }

  static byte[] commonName(String name) {
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
