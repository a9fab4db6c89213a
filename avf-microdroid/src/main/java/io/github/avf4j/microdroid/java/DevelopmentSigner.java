package io.github.avf4j.microdroid.java;

import io.github.avf4j.JavaPayloadException;
import io.github.avf4j.JavaPayloadException.Reason;
import io.github.avf4j.attestation.AttestationException;
import io.github.avf4j.microdroid.apk.SigningKey;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.SecureRandom;
import java.security.Signature;
import java.time.Instant;
import java.util.Base64;
import java.util.Date;
import org.bouncycastle.asn1.ASN1EncodableVector;
import org.bouncycastle.asn1.ASN1Integer;
import org.bouncycastle.asn1.DERBitString;
import org.bouncycastle.asn1.DERNull;
import org.bouncycastle.asn1.DERSequence;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.asn1.x509.TBSCertificate;
import org.bouncycastle.asn1.x509.Time;
import org.bouncycastle.asn1.x509.V3TBSCertificateGenerator;

/**
 * The key by which a user signs payloads unless another one is given: RSA, so that the same payload
 * has the same bytes, made when it is first needed and kept in a file for its owner only.
 *
 * <p>Whoever loses it cannot make another version of a payload that gets the same secrets.
 * Thread-safe, also against other processes.
 */
final class DevelopmentSigner {
  private static final String FILE = "payload-signing-key.pem";
  private static final int BITS = 3072;
  private static final String CERTIFICATE = "-----BEGIN CERTIFICATE-----";
  private static final Instant FROM = Instant.parse("2020-01-01T00:00:00Z");

  /** What RFC 5280 gives a certificate that does not expire. */
  private static final Instant TO = Instant.parse("9999-12-31T23:59:59Z");

  private final Path folder;

  DevelopmentSigner(Path folder) {
    this.folder = folder;
  }

  /**
   * Returns the key.
   *
   * @throws JavaPayloadException of the reason SIGNING_KEY if it is damaged or cannot be made
   */
  SigningKey findOrMake() {
    Path file = folder.resolve(FILE);
    try {
      if (!Files.exists(file)) {
        make(file);
      }
      String text = Files.readString(file, StandardCharsets.US_ASCII);
      int split = text.indexOf(CERTIFICATE);
      byte[] key = text.substring(0, Math.max(split, 0)).getBytes(StandardCharsets.US_ASCII);
      byte[] certificate = text.substring(Math.max(split, 0)).getBytes(StandardCharsets.US_ASCII);
      return SigningKey.ofPem(key, certificate);
    } catch (IOException | GeneralSecurityException | AttestationException e) {
      throw new JavaPayloadException(
          Reason.SIGNING_KEY,
          "the key for development %s cannot be made or read (%s): repair it, or give a key of your own"
              .formatted(file, e.getMessage()),
          e);
    }
  }

  private void make(Path file) throws IOException, GeneralSecurityException {
    Files.createDirectories(folder);
    Path fresh =
        Files.createTempFile(
            folder,
            "." + FILE,
            ".new",
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    try {
      KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
      generator.initialize(BITS);
      KeyPair pair = generator.generateKeyPair();
      String text =
          pem("PRIVATE KEY", pair.getPrivate().getEncoded()) + pem("CERTIFICATE", certify(pair));
      Files.writeString(fresh, text, StandardCharsets.US_ASCII);
      // Whoever is first has made the key of all: a link never replaces a file.
      Files.createLink(file, fresh);
    } catch (FileAlreadyExistsException e) {
      // Another process was first.
    } finally {
      Files.deleteIfExists(fresh);
    }
  }

  private static String pem(String label, byte[] der) {
    byte[] newline = {'\n'};
    return "-----BEGIN %s-----\n%s\n-----END %s-----\n"
        .formatted(label, Base64.getMimeEncoder(64, newline).encodeToString(der), label);
  }

  private static byte[] certify(KeyPair pair) throws GeneralSecurityException, IOException {
    AlgorithmIdentifier algorithm =
        new AlgorithmIdentifier(PKCSObjectIdentifiers.sha256WithRSAEncryption, DERNull.INSTANCE);
    X500Name name = new X500Name("CN=avf4j payloads for development");
    V3TBSCertificateGenerator generator = new V3TBSCertificateGenerator();
    generator.setSerialNumber(new ASN1Integer(new BigInteger(63, new SecureRandom())));
    generator.setIssuer(name);
    generator.setSubject(name);
    generator.setStartDate(new Time(Date.from(FROM)));
    generator.setEndDate(new Time(Date.from(TO)));
    generator.setSignature(algorithm);
    generator.setSubjectPublicKeyInfo(
        SubjectPublicKeyInfo.getInstance(pair.getPublic().getEncoded()));
    TBSCertificate certificate = generator.generateTBSCertificate();
    Signature signature = Signature.getInstance("SHA256withRSA");
    signature.initSign(pair.getPrivate());
    signature.update(certificate.getEncoded("DER"));
    ASN1EncodableVector signed = new ASN1EncodableVector();
    signed.add(certificate);
    signed.add(algorithm);
    signed.add(new DERBitString(signature.sign()));
    return new DERSequence(signed).getEncoded("DER");
  }
}
