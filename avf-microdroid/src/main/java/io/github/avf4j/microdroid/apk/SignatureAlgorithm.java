package io.github.avf4j.microdroid.apk;

import io.github.avf4j.attestation.ByteSlice;
import java.security.GeneralSecurityException;
import java.security.ProviderException;
import java.security.PublicKey;
import java.security.Signature;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.PSSParameterSpec;
import java.util.Optional;

/** The signature algorithms of APKs that are accepted; DSA is not. */
enum SignatureAlgorithm {
  RSA_PSS_SHA256(0x0101, "RSA", "RSASSA-PSS", ContentDigestKind.CHUNKED_SHA256),
  RSA_PSS_SHA512(0x0102, "RSA", "RSASSA-PSS", ContentDigestKind.CHUNKED_SHA512),
  RSA_PKCS1_SHA256(0x0103, "RSA", "SHA256withRSA", ContentDigestKind.CHUNKED_SHA256),
  RSA_PKCS1_SHA512(0x0104, "RSA", "SHA512withRSA", ContentDigestKind.CHUNKED_SHA512),
  ECDSA_SHA256(0x0201, "EC", "SHA256withECDSA", ContentDigestKind.CHUNKED_SHA256),
  ECDSA_SHA512(0x0202, "EC", "SHA512withECDSA", ContentDigestKind.CHUNKED_SHA512),
  VERITY_RSA_PKCS1_SHA256(0x0421, "RSA", "SHA256withRSA", ContentDigestKind.VERITY_SHA256),
  VERITY_ECDSA_SHA256(0x0423, "EC", "SHA256withECDSA", ContentDigestKind.VERITY_SHA256);

  private final long id;
  private final String keyAlgorithm;
  private final String javaName;
  private final ContentDigestKind digest;

  SignatureAlgorithm(long id, String keyAlgorithm, String javaName, ContentDigestKind digest) {
    this.id = id;
    this.keyAlgorithm = keyAlgorithm;
    this.javaName = javaName;
    this.digest = digest;
  }

  static Optional<SignatureAlgorithm> of(long id) {
    for (SignatureAlgorithm algorithm : values()) {
      if (algorithm.id == id) {
        return Optional.of(algorithm);
      }
    }
    return Optional.empty();
  }

  long id() {
    return id;
  }

  /** {@code RSA} or {@code EC}. */
  String keyAlgorithm() {
    return keyAlgorithm;
  }

  ContentDigestKind digest() {
    return digest;
  }

  /** Whether the signature is the key's over the data. */
  boolean verifies(PublicKey key, ByteSlice data, ByteSlice signature) {
    try {
      Signature verifier = Signature.getInstance(javaName);
      if (javaName.equals("RSASSA-PSS")) {
        verifier.setParameter(pss());
      }
      verifier.initVerify(key);
      verifier.update(data.asByteBuffer());
      return verifier.verify(signature.toByteArray());
    } catch (GeneralSecurityException | ProviderException e) {
      return false;
    }
  }

  private PSSParameterSpec pss() {
    return digest.hash().digestSize() == 32
        ? new PSSParameterSpec("SHA-256", "MGF1", MGF1ParameterSpec.SHA256, 32, 1)
        : new PSSParameterSpec("SHA-512", "MGF1", MGF1ParameterSpec.SHA512, 64, 1);
  }
}
