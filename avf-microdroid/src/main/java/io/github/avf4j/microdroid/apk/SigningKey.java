package io.github.avf4j.microdroid.apk;

import io.github.avf4j.attestation.internal.Pem;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bouncycastle.asn1.DERNull;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.asn1.pkcs.RSAPrivateKey;
import org.bouncycastle.asn1.sec.ECPrivateKey;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x9.X9ObjectIdentifiers;

/**
 * A private key and the certificates that go with it.
 *
 * @param privateKey RSA or EC
 * @param certificates the key's own first
 */
public record SigningKey(PrivateKey privateKey, List<X509Certificate> certificates) {
  /** Copies the list. */
  public SigningKey {
    certificates = List.copyOf(certificates);
    if (certificates.isEmpty()) {
      throw new ApkException(ApkError.SIGNING_KEY, "a certificate is needed");
    }
  }

  /**
   * Reads both from PEM as openssl writes it: a key in PKCS #8, PKCS #1 or SEC 1, not encrypted,
   * and one or more certificates.
   *
   * @throws ApkException of the error SIGNING_KEY if they cannot be read
   */
  public static SigningKey ofPem(byte[] key, byte[] certificates) {
    return new SigningKey(privateKey(key), certificates(certificates));
  }

  /**
   * Certifies a key by itself, which is all that the signature of a package needs.
   *
   * @param pair RSA or EC
   * @param commonName subject and issuer
   * @param from when the certificate begins to be valid
   * @param to when it ends
   * @throws GeneralSecurityException if the key cannot sign
   */
  public static SigningKey selfSigned(KeyPair pair, String commonName, Instant from, Instant to)
      throws GeneralSecurityException {
    byte[] certificate = SelfSignedCertificate.make(pair, commonName, from, to);
    return new SigningKey(pair.getPrivate(), certificates(certificate));
  }

  private static PrivateKey privateKey(byte[] file) {
    // Curves have a section of their own before their key.
    try {
      return Pem.find(file, 0, label -> label.endsWith("PRIVATE KEY"))
          .map(section -> parse(section.label(), section.der()))
          .orElseThrow(
              () ->
                  new ApkException(
                      ApkError.SIGNING_KEY,
                      "the key file has no complete PEM section of a private key"));
    } catch (Pem.DamagedException e) {
      throw new ApkException(
          ApkError.SIGNING_KEY, "the key file is damaged: " + e.getMessage(), e.position(), e);
    }
  }

  private static PrivateKey parse(String label, byte[] der) {
    try {
      PrivateKeyInfo info =
          switch (label) {
            case "PRIVATE KEY" -> PrivateKeyInfo.getInstance(der);
            case "RSA PRIVATE KEY" ->
                new PrivateKeyInfo(
                    new AlgorithmIdentifier(PKCSObjectIdentifiers.rsaEncryption, DERNull.INSTANCE),
                    RSAPrivateKey.getInstance(der));
            case "EC PRIVATE KEY" -> ellipticCurve(ECPrivateKey.getInstance(der));
            default ->
                throw new ApkException(
                    ApkError.SIGNING_KEY,
                    "a PEM section \"" + label + "\" cannot be read: convert it to PKCS #8");
          };
      boolean rsa =
          info.getPrivateKeyAlgorithm().getAlgorithm().equals(PKCSObjectIdentifiers.rsaEncryption);
      return KeyFactory.getInstance(rsa ? "RSA" : "EC")
          .generatePrivate(new PKCS8EncodedKeySpec(info.getEncoded()));
    } catch (IOException
        | GeneralSecurityException
        | IllegalArgumentException
        | IllegalStateException e) {
      throw new ApkException(
          ApkError.SIGNING_KEY, "the key file holds no RSA or EC key that can be used", -1, e);
    } finally {
      Arrays.fill(der, (byte) 0);
    }
  }

  private static PrivateKeyInfo ellipticCurve(ECPrivateKey key) throws IOException {
    return new PrivateKeyInfo(
        new AlgorithmIdentifier(X9ObjectIdentifiers.id_ecPublicKey, key.getParametersObject()),
        key);
  }

  private static List<X509Certificate> certificates(byte[] pem) {
    List<X509Certificate> all = new ArrayList<>();
    try {
      for (Certificate certificate :
          CertificateFactory.getInstance("X.509")
              .generateCertificates(new ByteArrayInputStream(pem))) {
        all.add((X509Certificate) certificate);
      }
    } catch (CertificateException e) {
      throw new ApkException(ApkError.SIGNING_KEY, "the certificate file cannot be parsed", -1, e);
    }
    return all;
  }
}
