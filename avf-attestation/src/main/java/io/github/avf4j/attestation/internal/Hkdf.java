package io.github.avf4j.attestation.internal;

import java.nio.charset.StandardCharsets;
import org.bouncycastle.crypto.Digest;
import org.bouncycastle.crypto.digests.SHA256Digest;
import org.bouncycastle.crypto.digests.SHA512Digest;
import org.bouncycastle.crypto.generators.HKDFBytesGenerator;
import org.bouncycastle.crypto.params.HKDFParameters;

/**
 * HKDF (RFC 5869), extract and expand. An empty salt means a key of zeros, as the RFC says.
 * Thread-safe.
 */
public final class Hkdf {
  private Hkdf() {}

  /** HKDF with SHA-512: the KDF of the Open Profile for DICE and of the VM secrets. */
  public static byte[] sha512(int length, byte[] keyMaterial, byte[] salt, byte[] info) {
    return derive(new SHA512Digest(), length, keyMaterial, salt, info);
  }

  /** HKDF with SHA-512 whose info is ASCII text without a terminator. */
  public static byte[] sha512(int length, byte[] keyMaterial, byte[] salt, String info) {
    return sha512(length, keyMaterial, salt, info.getBytes(StandardCharsets.US_ASCII));
  }

  /** HKDF with SHA-256. */
  public static byte[] sha256(int length, byte[] keyMaterial, byte[] salt, byte[] info) {
    return derive(new SHA256Digest(), length, keyMaterial, salt, info);
  }

  private static byte[] derive(
      Digest digest, int length, byte[] keyMaterial, byte[] salt, byte[] info) {
    HKDFBytesGenerator generator = new HKDFBytesGenerator(digest);
    generator.init(new HKDFParameters(keyMaterial, salt, info));
    byte[] out = new byte[length];
    generator.generateBytes(out, 0, length);
    return out;
  }
}
