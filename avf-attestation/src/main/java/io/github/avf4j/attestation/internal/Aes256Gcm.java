package io.github.avf4j.attestation.internal;

import java.security.GeneralSecurityException;
import java.util.Optional;
import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * AES-256-GCM with a tag of 16 bytes at the end of the ciphertext. The caller never uses a key
 * twice with one IV. Thread-safe.
 */
public final class Aes256Gcm {
  /** The length of a key, in bytes. */
  public static final int KEY_SIZE = 32;

  /** The usual length of an IV, in bytes. */
  public static final int IV_SIZE = 12;

  /** The length of the tag, in bytes. */
  public static final int TAG_SIZE = 16;

  private Aes256Gcm() {}

  /** Encrypts; the result is the ciphertext and the tag. */
  public static byte[] encrypt(byte[] key, byte[] iv, byte[] aad, byte[] plaintext) {
    try {
      return run(Cipher.ENCRYPT_MODE, key, iv, aad, plaintext);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("AES-256-GCM does not encrypt", e);
    }
  }

  /** Decrypts; empty if the tag is not that of key, IV, AAD and ciphertext. */
  public static Optional<byte[]> decrypt(byte[] key, byte[] iv, byte[] aad, byte[] ciphertext) {
    if (ciphertext.length < TAG_SIZE || iv.length == 0) {
      return Optional.empty();
    }
    try {
      return Optional.of(run(Cipher.DECRYPT_MODE, key, iv, aad, ciphertext));
    } catch (AEADBadTagException e) {
      return Optional.empty();
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("AES-256-GCM does not decrypt", e);
    }
  }

  private static byte[] run(int mode, byte[] key, byte[] iv, byte[] aad, byte[] input)
      throws GeneralSecurityException {
    if (key.length != KEY_SIZE) {
      throw new IllegalArgumentException("key must have 32 bytes but has " + key.length);
    }
    Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
    cipher.init(mode, new SecretKeySpec(key, "AES"), new GCMParameterSpec(8 * TAG_SIZE, iv));
    cipher.updateAAD(aad);
    return cipher.doFinal(input);
  }
}
