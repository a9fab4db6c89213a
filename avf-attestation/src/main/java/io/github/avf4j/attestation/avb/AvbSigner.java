package io.github.avf4j.attestation.avb;

/**
 * Signs vbmeta images: a key at hand ({@link RsaKeyFile}), or one that a token or a signing service
 * keeps.
 */
public interface AvbSigner {
  /** The key that goes into the image. */
  AvbPublicKey publicKey();

  /**
   * Signs a digest of the algorithm's hash with RSASSA-PKCS1-v1_5.
   *
   * @return the signature, as long as the modulus
   * @throws AvbException of kind KEY if the key does not fit the algorithm
   */
  byte[] sign(AvbAlgorithm algorithm, byte[] digest);
}
