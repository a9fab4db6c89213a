package io.github.avf4j.attestation.cose;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.cbor.CborWriter;
import java.util.Optional;

/** The signature algorithms, each with the one kind of key it takes. */
public enum CoseAlgorithm {
  /** Ed25519: key type OKP (1), curve 6. */
  ED25519("EdDSA", -8, 1, 6, 32, 64),
  /** ECDSA with P-256 and SHA-256: key type EC2 (2), curve 1. */
  ES256("ES256", -7, 2, 1, 64, 64),
  /** ECDSA with P-384 and SHA-384: key type EC2 (2), curve 2. */
  ES384("ES384", -35, 2, 2, 96, 96),
  /** ML-DSA-65 (FIPS 204): key type AKP (7). */
  ML_DSA_65("ML-DSA-65", -49, 7, 0, 1952, 3309),
  /** ML-DSA-87 (FIPS 204): key type AKP (7). */
  ML_DSA_87("ML-DSA-87", -50, 7, 0, 2592, 4627);

  private final String coseName;
  private final int id;
  private final int keyType;
  private final int curve;
  private final int publicKeySize;
  private final int signatureSize;
  private final ByteSlice protectedHeader;

  CoseAlgorithm(
      String coseName, int id, int keyType, int curve, int publicKeySize, int signatureSize) {
    this.coseName = coseName;
    this.id = id;
    this.keyType = keyType;
    this.curve = curve;
    this.publicKeySize = publicKeySize;
    this.signatureSize = signatureSize;
    this.protectedHeader =
        ByteSlice.takeOver(new CborWriter(8).map(1).integer(1).integer(id).toByteArray());
  }

  /** The algorithm of an identifier of the COSE registry, if it is one of these. */
  public static Optional<CoseAlgorithm> ofId(long id) {
    for (CoseAlgorithm algorithm : values()) {
      if (algorithm.id == id) {
        return Optional.of(algorithm);
      }
    }
    return Optional.empty();
  }

  /** The name in the COSE registry. */
  public String coseName() {
    return coseName;
  }

  /** The identifier in the COSE registry: the value of {@code alg}. */
  public int id() {
    return id;
  }

  /** The length of a raw public key, in bytes: x, x and y, or the encoding of FIPS 204. */
  public int publicKeySize() {
    return publicKeySize;
  }

  /** The length of a signature, in bytes; of ECDSA it is r and s. */
  public int signatureSize() {
    return signatureSize;
  }

  /** The protected header that holds this algorithm and nothing else. */
  public ByteSlice protectedHeader() {
    return protectedHeader;
  }

  /** Whether the scheme is of FIPS 204, which profiles before android.18 do not have. */
  public boolean isMlDsa() {
    return keyType == 7;
  }

  int keyType() {
    return keyType;
  }

  int curve() {
    return curve;
  }
}
