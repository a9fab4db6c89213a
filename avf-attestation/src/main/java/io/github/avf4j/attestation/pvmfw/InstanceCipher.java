package io.github.avf4j.attestation.pvmfw;

import io.github.avf4j.attestation.SecretBytes;
import io.github.avf4j.attestation.internal.Aes256Gcm;
import io.github.avf4j.attestation.internal.Hkdf;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.Arrays;

/**
 * The two ways in which records of an instance image are sealed, both AES-256-GCM: pvmfw's
 * (ciphertext, tag, nonce; no further data) and Microdroid Manager's (nonce, ciphertext, tag; the
 * header block is authenticated).
 *
 * <p>Thread-safe until it is closed, which wipes the key.
 */
public final class InstanceCipher implements AutoCloseable {
  private static final int KEY = Aes256Gcm.KEY_SIZE;
  private static final int NONCE = Aes256Gcm.IV_SIZE;
  private static final int TAG = Aes256Gcm.TAG_SIZE;
  private static final byte[] NONE = new byte[0];

  private final SecretBytes key;
  private final boolean nonceFirst;

  /** A cipher with the key itself, which it takes over. */
  InstanceCipher(byte[] key, boolean nonceFirst) {
    this.key = SecretBytes.takeOver(key);
    this.nonceFirst = nonceFirst;
  }

  /** pvmfw's, whose key derives from the CDI_Seal that was handed to pvmfw. */
  public static InstanceCipher ofPvmfw(SecretBytes incomingCdiSeal) {
    return incomingCdiSeal.use(
        cdi -> new InstanceCipher(Hkdf.sha512(KEY, cdi, NONE, "vm-instance"), false));
  }

  /** Microdroid Manager's, whose key derives from the CDI_Seal that pvmfw handed on. */
  public static InstanceCipher ofMicrodroid(SecretBytes guestCdiSeal) {
    byte[] info = "microdroid_manager_key".getBytes(StandardCharsets.US_ASCII);
    return guestCdiSeal.use(cdi -> new InstanceCipher(Hkdf.sha256(KEY, cdi, NONE, info), true));
  }

  /** The size of a sealed payload in bytes. */
  public static int sealedSize(int plainSize) {
    return plainSize + NONCE + TAG;
  }

  /**
   * Seals with a random nonce.
   *
   * @param headerBlock the record's header block; pvmfw's form leaves it out
   */
  public byte[] seal(byte[] plain, byte[] headerBlock) {
    byte[] nonce = new byte[NONCE];
    new SecureRandom().nextBytes(nonce);
    return seal(plain, headerBlock, nonce);
  }

  byte[] seal(byte[] plain, byte[] headerBlock, byte[] nonce) {
    byte[] sealed = key.use(bytes -> Aes256Gcm.encrypt(bytes, nonce, aad(headerBlock), plain));
    byte[] out = new byte[sealed.length + NONCE];
    System.arraycopy(sealed, 0, out, nonceFirst ? NONCE : 0, sealed.length);
    System.arraycopy(nonce, 0, out, nonceFirst ? 0 : sealed.length, NONCE);
    return out;
  }

  /**
   * Opens; the caller closes the result.
   *
   * @throws PvmfwException of error INSTANCE_DECRYPTION_FAILED if the key is another or a bit is
   */
  public SecretBytes open(byte[] sealed, byte[] headerBlock) {
    if (sealed.length < NONCE + TAG) {
      throw failed();
    }
    int nonceAt = nonceFirst ? 0 : sealed.length - NONCE;
    byte[] nonce = Arrays.copyOfRange(sealed, nonceAt, nonceAt + NONCE);
    int textAt = nonceFirst ? NONCE : 0;
    byte[] text = Arrays.copyOfRange(sealed, textAt, textAt + sealed.length - NONCE);
    return key.use(bytes -> Aes256Gcm.decrypt(bytes, nonce, aad(headerBlock), text))
        .map(SecretBytes::takeOver)
        .orElseThrow(InstanceCipher::failed);
  }

  private byte[] aad(byte[] headerBlock) {
    return nonceFirst ? headerBlock : NONE;
  }

  private static PvmfwException failed() {
    return new PvmfwException(
        PvmfwError.INSTANCE_DECRYPTION_FAILED,
        "the record was not sealed with this secret, or was changed since");
  }

  /** Wipes the key. */
  @Override
  public void close() {
    key.close();
  }
}
