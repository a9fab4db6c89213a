package io.github.avf4j.attestation.remote;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.cose.CosePrivateKey;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Certificates of P-256 keys, right or wrong as a test wants. */
final class SampleCertificates {
  static final String CONSTRAINTS = "2.5.29.19";
  static final String USAGE = "2.5.29.15";

  private byte[] issuer = name("Root");
  private byte[] subject = name("Root");
  private String notBefore = "20250101000000Z";
  private String notAfter = "20351231235959Z";
  private long serial = 1;
  private final List<byte[]> extensions = new ArrayList<>();

  static byte[] name(String commonName) {
    return Der.sequence(
        Der.element(DerReader.SET, Der.sequence(Der.oid("2.5.4.3"), Der.utf8(commonName))));
  }

  static SampleCertificates authority(String name) {
    return new SampleCertificates().subject(name).constraints(true, -1).usage(0x04);
  }

  SampleCertificates issuer(String name) {
    issuer = name(name);
    return this;
  }

  SampleCertificates subject(String name) {
    subject = name(name);
    return this;
  }

  SampleCertificates validity(String from, String to) {
    notBefore = from;
    notAfter = to;
    return this;
  }

  SampleCertificates serial(long number) {
    serial = number;
    return this;
  }

  SampleCertificates constraints(boolean authority, int pathLength) {
    byte[] flag = authority ? Der.bool(true) : new byte[0];
    byte[] length = pathLength < 0 ? new byte[0] : Der.integer(pathLength);
    return extension(CONSTRAINTS, true, Der.sequence(flag, length));
  }

  SampleCertificates usage(int bits) {
    return extension(USAGE, true, Der.element(DerReader.BIT_STRING, new byte[] {2, (byte) bits}));
  }

  SampleCertificates extension(String oid, boolean critical, byte[] value) {
    byte[] flag = critical ? Der.bool(true) : new byte[0];
    extensions.add(Der.sequence(Der.oid(oid), flag, Der.octets(value)));
    return this;
  }

  SampleCertificates withoutExtensions() {
    extensions.clear();
    return this;
  }

  ByteSlice sign(CosePrivateKey issuerKey, CosePrivateKey subjectKey) {
    byte[] algorithm = X509Signatures.ECDSA_SHA256.toByteArray();
    byte[] list =
        extensions.isEmpty()
            ? new byte[0]
            : Der.element(0xa3, Der.sequence(extensions.toArray(byte[][]::new)));
    byte[] signedPart =
        Der.sequence(
            Der.element(0xa0, Der.integer(2)),
            Der.integer(BigInteger.valueOf(serial)),
            algorithm,
            issuer,
            Der.sequence(time(notBefore), time(notAfter)),
            subject,
            subjectKey.publicKey().toSubjectPublicKeyInfo(),
            list);
    return ByteSlice.takeOver(
        Der.sequence(signedPart, algorithm, Der.bits(EcDer.signature(issuerKey.sign(signedPart)))));
  }

  private static byte[] time(String text) {
    return Der.element(
        text.length() == 13 ? DerReader.UTC_TIME : DerReader.GENERALIZED_TIME,
        text.getBytes(StandardCharsets.US_ASCII));
  }
}
