package io.github.avf4j.attestation.cose;

import io.github.avf4j.attestation.SecretBytes;

/**
 * A private key that signs with one algorithm.
 *
 * <p>It never prints its secret; {@link #close} wipes what this class holds. Bouncy Castle makes
 * copies that cannot be wiped while it computes with P-256, P-384 and ML-DSA; with Ed25519 it wipes
 * its own. Use after closing throws {@link IllegalStateException}. Thread-safe.
 */
public abstract sealed class CosePrivateKey implements AutoCloseable
    permits Ed25519PrivateKey, EcPrivateKey, MlDsaPrivateKey {
  private final SecretBytes secret;
  private final CosePublicKey publicKey;

  CosePrivateKey(SecretBytes secret, CosePublicKey publicKey) {
    this.secret = secret;
    this.publicKey = publicKey;
  }

  /**
   * Makes a key of its secret, which is copied: the seed of RFC 8032 for Ed25519 (32 bytes), the
   * scalar for ECDSA (32 or 48 bytes, big-endian, from 1 to the group order - 1), the seed of FIPS
   * 204 for ML-DSA (32 bytes).
   *
   * @throws CoseException if the length is wrong or the scalar is out of range
   */
  public static CosePrivateKey ofSecret(CoseAlgorithm algorithm, SecretBytes secret) {
    int size =
        switch (algorithm) {
          case ES384 -> 48;
          default -> 32;
        };
    if (secret.length() != size) {
      throw new CoseException(
          algorithm.coseName() + " secret must have " + size + " bytes but has " + secret.length(),
          -1);
    }
    return switch (algorithm) {
      case ED25519 -> Ed25519PrivateKey.of(secret);
      case ES256, ES384 -> EcPrivateKey.of(algorithm, secret);
      case ML_DSA_65, ML_DSA_87 -> MlDsaPrivateKey.of(algorithm, secret);
    };
  }

  /** The algorithm. */
  public final CoseAlgorithm algorithm() {
    return publicKey.algorithm();
  }

  /** The public key. */
  public final CosePublicKey publicKey() {
    return publicKey;
  }

  /** The secret, which lives as long as this key. */
  public final SecretBytes secret() {
    return secret;
  }

  /** The signature over a message, in the form of COSE: r and s for ECDSA. */
  public abstract byte[] sign(byte[] message);

  /** Wipes the secret. */
  @Override
  public final void close() {
    secret.close();
  }

  /** The public key, never the secret. */
  @Override
  public final String toString() {
    return "private key of " + publicKey;
  }
}
