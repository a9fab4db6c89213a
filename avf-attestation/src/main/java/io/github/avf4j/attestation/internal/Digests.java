package io.github.avf4j.attestation.internal;

import io.github.avf4j.attestation.ByteSlice;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/** The hashes of the JDK, which every Java runtime has. Thread-safe. */
public final class Digests {
  private Digests() {}

  /** A fresh SHA-256. */
  public static MessageDigest sha256() {
    return digest("SHA-256");
  }

  /** A fresh SHA-384. */
  public static MessageDigest sha384() {
    return digest("SHA-384");
  }

  /** A fresh SHA-512. */
  public static MessageDigest sha512() {
    return digest("SHA-512");
  }

  /** SHA-512 over the parts in order. */
  public static byte[] sha512(byte[]... parts) {
    MessageDigest digest = sha512();
    for (byte[] part : parts) {
      digest.update(part);
    }
    return digest.digest();
  }

  /** The hash of the SHA-2 family whose output has {@code size} bytes: 32, 48 or 64. */
  public static byte[] sha2(int size, ByteSlice message) {
    MessageDigest digest =
        switch (size) {
          case 32 -> sha256();
          case 48 -> sha384();
          case 64 -> sha512();
          default -> throw new IllegalArgumentException("no SHA-2 with " + size + " bytes is used");
        };
    digest.update(message.asByteBuffer());
    return digest.digest();
  }

  private static MessageDigest digest(String name) {
    try {
      return MessageDigest.getInstance(name);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("this Java runtime has no " + name, e);
    }
  }
}
