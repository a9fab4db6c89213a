package io.github.avf4j.attestation.remote;

import io.github.avf4j.attestation.ByteSlice;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.Signature;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.X509EncodedKeySpec;
import java.util.Map;
import java.util.Optional;

/**
 * Verifies signatures of certificates with the providers of the JDK: ECDSA and RSA (PKCS #1, keys
 * of at least 2048 bits) with SHA-256, SHA-384 and SHA-512, and Ed25519. Thread-safe.
 */
final class X509Signatures {
  static final ByteSlice ECDSA_SHA256 =
      ByteSlice.takeOver(Der.sequence(Der.oid("1.2.840.10045.4.3.2")));

  private static final int LEAST_RSA_BITS = 2048;
  private static final int GREATEST_RSA_BITS = 16384;

  private static final byte[] NULL = Der.element(DerReader.NULL);

  private record Scheme(String signature, String key) {}

  private static final Map<ByteSlice, Scheme> SCHEMES =
      Map.of(
          ECDSA_SHA256,
          new Scheme("SHA256withECDSA", "EC"),
          plain("1.2.840.10045.4.3.3"),
          new Scheme("SHA384withECDSA", "EC"),
          plain("1.2.840.10045.4.3.4"),
          new Scheme("SHA512withECDSA", "EC"),
          plain("1.3.101.112"),
          new Scheme("Ed25519", "Ed25519"),
          withNull("1.2.840.113549.1.1.11"),
          new Scheme("SHA256withRSA", "RSA"),
          withNull("1.2.840.113549.1.1.12"),
          new Scheme("SHA384withRSA", "RSA"),
          withNull("1.2.840.113549.1.1.13"),
          new Scheme("SHA512withRSA", "RSA"));

  private X509Signatures() {}

  private static ByteSlice plain(String oid) {
    return ByteSlice.takeOver(Der.sequence(Der.oid(oid)));
  }

  private static ByteSlice withNull(String oid) {
    return ByteSlice.takeOver(Der.sequence(Der.oid(oid), NULL));
  }

  /** Why a certificate is not signed with a key; empty if it is. */
  static Optional<String> fault(X509Certificate certificate, ByteSlice issuerKey) {
    Scheme scheme = SCHEMES.get(certificate.signatureAlgorithm());
    if (scheme == null) {
      return Optional.of("has a signature algorithm that is not accepted");
    }
    try {
      PublicKey key =
          KeyFactory.getInstance(scheme.key())
              .generatePublic(new X509EncodedKeySpec(issuerKey.toByteArray()));
      if (key instanceof RSAPublicKey rsa
          && (rsa.getModulus().bitLength() < LEAST_RSA_BITS
              || rsa.getModulus().bitLength() > GREATEST_RSA_BITS)) {
        return Optional.of("is signed with an RSA key of a size that is not accepted");
      }
      Signature verifier = Signature.getInstance(scheme.signature());
      verifier.initVerify(key);
      verifier.update(certificate.signedPart().asByteBuffer());
      return verifier.verify(certificate.signature().toByteArray())
          ? Optional.empty()
          : Optional.of("is not signed with the key of its issuer");
    } catch (GeneralSecurityException | RuntimeException e) {
      // Providers refuse malformed keys and signatures with exceptions of several kinds.
      return Optional.of("is not signed with the key of its issuer");
    }
  }
}
