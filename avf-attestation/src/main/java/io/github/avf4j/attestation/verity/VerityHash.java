package io.github.avf4j.attestation.verity;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Optional;
import org.bouncycastle.jcajce.provider.digest.Blake2b;

/** The hashes of hash descriptors and Merkle trees, by the names of the Linux kernel. */
public enum VerityHash {
  /** SHA-1: only for trees that others made; never trust a new image to it. */
  SHA1("sha1", "SHA-1", 20, 64),
  /** SHA-256. */
  SHA256("sha256", "SHA-256", 32, 64),
  /** SHA-512. */
  SHA512("sha512", "SHA-512", 64, 128),
  /** BLAKE2b with 32 bytes of output. */
  BLAKE2B_256("blake2b-256", "", 32, 128);

  private final String kernelName;
  private final String javaName;
  private final int digestSize;
  private final int compressionBlockSize;

  VerityHash(String kernelName, String javaName, int digestSize, int compressionBlockSize) {
    this.kernelName = kernelName;
    this.javaName = javaName;
    this.digestSize = digestSize;
    this.compressionBlockSize = compressionBlockSize;
  }

  /** The hash of this name, as {@code sha256}; names are lower case. */
  public static Optional<VerityHash> named(String kernelName) {
    for (VerityHash hash : values()) {
      if (hash.kernelName.equals(kernelName)) {
        return Optional.of(hash);
      }
    }
    return Optional.empty();
  }

  /** The name in descriptors and device-mapper tables. */
  public String kernelName() {
    return kernelName;
  }

  /** The length of the output in bytes. */
  public int digestSize() {
    return digestSize;
  }

  /** The bytes that one step of the compression function takes: what fs-verity pads salts to. */
  int compressionBlockSize() {
    return compressionBlockSize;
  }

  /** A fresh digest. */
  public MessageDigest newDigest() {
    if (this == BLAKE2B_256) {
      return new Blake2b.Blake2b256();
    }
    try {
      return MessageDigest.getInstance(javaName);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("this Java runtime has no " + javaName, e);
    }
  }
}
