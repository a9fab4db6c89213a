package io.github.avf4j.attestation.seal;

import io.github.avf4j.attestation.AttestationException;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.SecretBytes;
import io.github.avf4j.attestation.internal.Aes256Gcm;
import io.github.avf4j.attestation.internal.Hkdf;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/**
 * A secret and its policy, as a file holds them.
 *
 * <p>The file is: 8 bytes that name the format, 32 random bytes, then the ciphertext of secret and
 * policy with its tag. The random bytes make a key for this one writing, so the IV is zero; the id
 * is the AAD.
 *
 * @param secret the secret
 * @param policy who may have it
 */
record SecretEntry(SecretBytes secret, SealingPolicy policy) implements AutoCloseable {
  private static final byte[] MAGIC = {'A', 'V', 'F', 'S', 'K', 'E', '1', '\n'};
  private static final int SALT_SIZE = 32;
  private static final int HEAD = MAGIC.length + SALT_SIZE;

  /** How much longer a file is than the policy in it, in bytes. */
  static final int OVERHEAD = HEAD + SecretKeeper.SECRET_SIZE + Aes256Gcm.TAG_SIZE;

  static String fileName(SecretBytes device, SecretId id) {
    byte[] name =
        device.use(
            key -> Hkdf.sha512(32, key, id.bytes().toByteArray(), "avf4j secret keeper name"));
    return HexFormat.of().formatHex(name) + ".secret";
  }

  byte[] seal(SecretBytes device, SecretId id) {
    byte[] salt = new byte[SALT_SIZE];
    new SecureRandom().nextBytes(salt);
    byte[] plain = new byte[SecretKeeper.SECRET_SIZE + policy.encoded().length()];
    byte[] key = key(device, salt);
    try {
      secret.use(
          bytes -> {
            System.arraycopy(bytes, 0, plain, 0, bytes.length);
            return bytes.length;
          });
      policy.encoded().copyTo(plain, SecretKeeper.SECRET_SIZE);
      byte[] sealed =
          Aes256Gcm.encrypt(key, new byte[Aes256Gcm.IV_SIZE], id.bytes().toByteArray(), plain);
      byte[] content = Arrays.copyOf(MAGIC, HEAD + sealed.length);
      System.arraycopy(salt, 0, content, MAGIC.length, SALT_SIZE);
      System.arraycopy(sealed, 0, content, HEAD, sealed.length);
      return content;
    } finally {
      Arrays.fill(plain, (byte) 0);
      Arrays.fill(key, (byte) 0);
    }
  }

  static SecretEntry open(SecretBytes device, SecretId id, byte[] content) {
    if (content.length < OVERHEAD || !Arrays.equals(content, 0, 8, MAGIC, 0, 8)) {
      throw damaged(null);
    }
    byte[] key = key(device, Arrays.copyOfRange(content, MAGIC.length, HEAD));
    byte[] plain = new byte[0];
    try {
      plain =
          Aes256Gcm.decrypt(
                  key,
                  new byte[Aes256Gcm.IV_SIZE],
                  id.bytes().toByteArray(),
                  Arrays.copyOfRange(content, HEAD, content.length))
              .orElseThrow(() -> damaged(null));
      SealingPolicy policy =
          SealingPolicy.decode(
              ByteSlice.takeOver(
                  Arrays.copyOfRange(plain, SecretKeeper.SECRET_SIZE, plain.length)));
      return new SecretEntry(
          SecretBytes.takeOver(Arrays.copyOf(plain, SecretKeeper.SECRET_SIZE)), policy);
    } catch (SealException e) {
      throw damaged(e);
    } finally {
      Arrays.fill(plain, (byte) 0);
      Arrays.fill(key, (byte) 0);
    }
  }

  private static SecretKeeperException damaged(@Nullable AttestationException cause) {
    return new SecretKeeperException(
        SecretKeeperError.UNEXPECTED_SERVER_ERROR,
        "the stored secret is damaged: delete it to let the machine start anew",
        cause);
  }

  private static byte[] key(SecretBytes device, byte[] salt) {
    byte[] info = "avf4j secret keeper entry".getBytes(StandardCharsets.US_ASCII);
    return device.use(bytes -> Hkdf.sha512(Aes256Gcm.KEY_SIZE, bytes, salt, info));
  }

  /** Wipes the secret. */
  @Override
  public void close() {
    secret.close();
  }
}
