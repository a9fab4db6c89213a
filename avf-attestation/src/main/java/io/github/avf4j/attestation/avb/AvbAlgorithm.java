package io.github.avf4j.attestation.avb;

import io.github.avf4j.attestation.verity.VerityHash;
import java.security.MessageDigest;
import java.util.Optional;

/** How a vbmeta image is signed; ordinals are the numbers in the header. */
public enum AvbAlgorithm {
  /** Not signed. */
  NONE(VerityHash.SHA256, 0),
  /** RSASSA-PKCS1-v1_5 with SHA-256 and 2048 bits. */
  SHA256_RSA2048(VerityHash.SHA256, 2048),
  /** RSASSA-PKCS1-v1_5 with SHA-256 and 4096 bits. */
  SHA256_RSA4096(VerityHash.SHA256, 4096),
  /** RSASSA-PKCS1-v1_5 with SHA-256 and 8192 bits. */
  SHA256_RSA8192(VerityHash.SHA256, 8192),
  /** RSASSA-PKCS1-v1_5 with SHA-512 and 2048 bits. */
  SHA512_RSA2048(VerityHash.SHA512, 2048),
  /** RSASSA-PKCS1-v1_5 with SHA-512 and 4096 bits. */
  SHA512_RSA4096(VerityHash.SHA512, 4096),
  /** RSASSA-PKCS1-v1_5 with SHA-512 and 8192 bits. */
  SHA512_RSA8192(VerityHash.SHA512, 8192);

  private final VerityHash hash;
  private final int keyBits;

  AvbAlgorithm(VerityHash hash, int keyBits) {
    this.hash = hash;
    this.keyBits = keyBits;
  }

  /** The algorithm with this number. */
  public static Optional<AvbAlgorithm> numbered(long number) {
    return number >= 0 && number < values().length
        ? Optional.of(values()[(int) number])
        : Optional.empty();
  }

  /** The number in a header. */
  public int number() {
    return ordinal();
  }

  /** Whether an image of this algorithm has a signature. */
  public boolean isSigned() {
    return keyBits > 0;
  }

  /** The size of the modulus in bits; 0 for {@link #NONE}. */
  public int keyBits() {
    return keyBits;
  }

  /** The length of the digest in bytes; 0 for {@link #NONE}. */
  public int hashSize() {
    return isSigned() ? hash.digestSize() : 0;
  }

  /** The length of the signature in bytes. */
  public int signatureSize() {
    return keyBits / 8;
  }

  /** The length of the public key blob in bytes. */
  public int publicKeySize() {
    return isSigned() ? 8 + 2 * keyBits / 8 : 0;
  }

  /** A fresh digest; throws {@link IllegalStateException} for {@link #NONE}. */
  MessageDigest newDigest() {
    if (!isSigned()) {
      throw new IllegalStateException("the algorithm NONE has no hash");
    }
    return hash.newDigest();
  }

  /**
   * The encoded message of PKCS #1 v1.5 (RFC 8017, 9.2), which raw RSA turns into the signature.
   *
   * @param digest of this algorithm's hash, {@link #hashSize} bytes
   * @return as many bytes as the modulus has
   * @throws AvbException of kind KEY for a digest of another size, and for {@link #NONE}
   */
  public byte[] encodedMessage(byte[] digest) {
    if (!isSigned() || digest.length != hashSize()) {
      throw new AvbException(
          AvbException.Kind.KEY, "%s signs no %d bytes".formatted(this, digest.length));
    }
    return Pkcs1.encode(hash, digest, signatureSize());
  }
}
