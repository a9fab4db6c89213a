package io.github.avf4j.microdroid.apk;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.microdroid.apk.Signer.Tagged;
import java.io.ByteArrayInputStream;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.ProviderException;
import java.security.PublicKey;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.X509EncodedKeySpec;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The rules for one signer, in AVF's order: {@link #verify} those before the content digest, {@link
 * #requireCertificate} the one after it.
 *
 * @param position where the signer stands in the file
 * @param algorithm the one that counts: of those with the strongest digest, the first
 * @param contentDigest what the content must be
 * @param certificates DER, the signer's own first
 * @param publicKey DER SubjectPublicKeyInfo
 */
record SignerVerifier(
    long position,
    SignatureAlgorithm algorithm,
    ByteSlice contentDigest,
    List<ByteSlice> certificates,
    ByteSlice publicKey) {

  static SignerVerifier verify(Signer signer) {
    Tagged signature = strongest(signer);
    SignatureAlgorithm algorithm = SignatureAlgorithm.of(signature.id()).orElseThrow();
    PublicKey key = publicKey(algorithm, signer.publicKey(), signer.position());
    if (!algorithm.verifies(key, signer.signedData(), signature.bytes())) {
      throw new ApkException(
          ApkError.SIGNATURE,
          "the signature of algorithm 0x%04x does not verify".formatted(algorithm.id()),
          signature.position());
    }
    if (!signer.range().equals(signer.signedRange())) {
      throw new ApkException(
          ApkError.SDK_RANGE,
          "the SDK levels are %s outside the signed data and %s inside"
              .formatted(signer.range(), signer.signedRange()),
          signer.position());
    }
    ByteSlice digest = digest(signer, algorithm);
    if (signer.certificates().isEmpty()) {
      throw new ApkException(ApkError.CERTIFICATE, "no certificate", signer.position());
    }
    return new SignerVerifier(
        signer.position(), algorithm, digest, signer.certificates(), signer.publicKey());
  }

  /** Refuses a first certificate that has not the signer's key. */
  void requireCertificate() {
    requireKey(certificates.get(0), publicKey, position);
  }

  private static Tagged strongest(Signer signer) {
    Tagged best = null;
    ContentDigestKind kind = ContentDigestKind.CHUNKED_SHA256;
    for (Tagged signature : signer.signatures()) {
      Optional<SignatureAlgorithm> known = SignatureAlgorithm.of(signature.id());
      if (known.isPresent() && (best == null || known.get().digest().compareTo(kind) > 0)) {
        best = signature;
        kind = known.get().digest();
      }
    }
    if (best == null) {
      List<String> ids =
          signer.signatures().stream().map(tag -> "0x%04x".formatted(tag.id())).toList();
      throw new ApkException(
          ApkError.UNSUPPORTED_ALGORITHM,
          "no signature of a supported algorithm, only " + ids + " (DSA is not supported)",
          signer.position());
    }
    return best;
  }

  private static ByteSlice digest(Signer signer, SignatureAlgorithm algorithm) {
    if (!known(signer.digests()).equals(known(signer.signatures()))) {
      throw new ApkException(
          ApkError.ALGORITHM_LISTS,
          "the digests and the signatures are not of the same algorithms in the same order",
          signer.position());
    }
    requireDistinct(signer.digests());
    for (Tagged digest : signer.digests()) {
      if (digest.id() == algorithm.id()) {
        return digest.bytes();
      }
    }
    throw new IllegalStateException("equal lists, but one has no " + algorithm);
  }

  /** All unknown algorithms count as one. */
  private static List<Optional<SignatureAlgorithm>> known(List<Tagged> tags) {
    return tags.stream().map(tag -> SignatureAlgorithm.of(tag.id())).toList();
  }

  private static void requireDistinct(List<Tagged> tags) {
    Set<Long> seen = new HashSet<>();
    for (Tagged tag : tags) {
      if (!seen.add(tag.id())) {
        throw new ApkException(
            ApkError.ALGORITHM_LISTS,
            "two digests are of the algorithm 0x%04x".formatted(tag.id()),
            tag.position());
      }
    }
  }

  static PublicKey publicKey(SignatureAlgorithm algorithm, ByteSlice spki, long position) {
    try {
      return KeyFactory.getInstance(algorithm.keyAlgorithm())
          .generatePublic(new X509EncodedKeySpec(spki.toByteArray()));
    } catch (GeneralSecurityException | ProviderException | ArithmeticException e) {
      throw new ApkException(
          ApkError.UNSUPPORTED_ALGORITHM,
          "the public key is no %s key that can be used".formatted(algorithm.keyAlgorithm()),
          position,
          e);
    }
  }

  static void requireKey(ByteSlice certificate, ByteSlice publicKey, long position) {
    X509Certificate parsed;
    boolean exact;
    try {
      byte[] der = certificate.toByteArray();
      parsed =
          (X509Certificate)
              CertificateFactory.getInstance("X.509")
                  .generateCertificate(new ByteArrayInputStream(der));
      // The factory reads PEM, too, and leaves alone what follows.
      exact = certificate.contentEquals(parsed.getEncoded());
    } catch (CertificateException | ProviderException | ArithmeticException e) {
      throw new ApkException(
          ApkError.CERTIFICATE, "the first certificate cannot be parsed", position, e);
    }
    if (!exact) {
      throw new ApkException(
          ApkError.CERTIFICATE, "the first certificate is not DER alone", position);
    }
    if (!publicKey.contentEquals(parsed.getPublicKey().getEncoded())) {
      throw new ApkException(
          ApkError.CERTIFICATE,
          "the first certificate has another public key than the signer",
          position);
    }
  }
}
