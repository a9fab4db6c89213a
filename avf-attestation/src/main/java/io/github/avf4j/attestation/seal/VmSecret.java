package io.github.avf4j.attestation.seal;

import io.github.avf4j.attestation.SecretBytes;
import io.github.avf4j.attestation.internal.Digests;
import io.github.avf4j.attestation.internal.Hkdf;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.function.Function;

/**
 * The secret of a virtual machine from which all others of its payload are derived.
 *
 * <p>Version 1 is the sealing CDI after the payload's layer; version 2 mixes in a secret that a
 * {@link SecretKeeper} holds, which older code does not get. The two give different secrets.
 * Closing wipes it; use after that throws {@link IllegalStateException}. Thread-safe.
 */
public final class VmSecret implements AutoCloseable {
  /** The length of a CDI and of a secret of the keeper, in bytes. */
  public static final int SIZE = 32;

  /** The greatest length of a payload's secret, in bytes. */
  public static final int MAX_PAYLOAD_SECRET = 32;

  private static final byte[] PAYLOAD_SALT =
      HexFormat.of().parseHex("8b0ff0d3b1692b95842c9e3c99567a2255f80823815ff516203ebebab7a84392");
  private static final byte[] STORE_SALT =
      HexFormat.of().parseHex("fc1d357b96f3ef17787d70edeafe1d6fb3f940cedd9940aaa70e927390864a75");
  private static final byte[] STORE_INFO = "encryptedstore_key".getBytes(StandardCharsets.US_ASCII);

  private final SecretBytes keyMaterial;

  private VmSecret(SecretBytes keyMaterial) {
    this.keyMaterial = keyMaterial;
  }

  /** Version 1: the sealing CDI, 32 bytes, which is copied. */
  public static VmSecret v1(SecretBytes cdiSeal) {
    requireSize("sealing CDI", cdiSeal);
    return new VmSecret(cdiSeal.copy());
  }

  /**
   * Version 2: the SHA-256 of the sealing CDI and the keeper's secret, 32 bytes each. A machine
   * that is not protected uses 32 zeros where January 2025 had no keeper for it.
   */
  public static VmSecret v2(SecretBytes cdiSeal, SecretBytes keeperSecret) {
    requireSize("sealing CDI", cdiSeal);
    requireSize("secret of the keeper", keeperSecret);
    MessageDigest digest = Digests.sha256();
    cdiSeal.use(update(digest));
    keeperSecret.use(update(digest));
    return new VmSecret(SecretBytes.takeOver(digest.digest()));
  }

  private static Function<byte[], Integer> update(MessageDigest digest) {
    return bytes -> {
      digest.update(bytes);
      return bytes.length;
    };
  }

  private static void requireSize(String what, SecretBytes secret) {
    if (secret.length() != SIZE) {
      throw new IllegalArgumentException(
          what + " must have " + SIZE + " bytes but has " + secret.length());
    }
  }

  /**
   * The secret that a payload gets for an identifier (AVmPayload_getVmInstanceSecret).
   *
   * @param identifier any bytes that the payload chooses
   * @param size how many bytes, 0 to 32
   * @throws IllegalArgumentException if the size is out of range
   */
  public SecretBytes payloadSecret(byte[] identifier, int size) {
    if (size < 0 || size > MAX_PAYLOAD_SECRET) {
      throw new IllegalArgumentException(
          "size of a payload secret must be in 0.." + MAX_PAYLOAD_SECRET + " but was " + size);
    }
    return size == 0 ? SecretBytes.takeOver(new byte[0]) : derive(PAYLOAD_SALT, identifier, size);
  }

  /** The key of the encrypted store: 32 bytes for aes-hctr2-plain64. */
  public SecretBytes encryptedStoreKey() {
    return derive(STORE_SALT, STORE_INFO, SIZE);
  }

  private SecretBytes derive(byte[] salt, byte[] info, int size) {
    byte[] label = Arrays.copyOf(info, info.length);
    return keyMaterial.use(bytes -> SecretBytes.takeOver(Hkdf.sha256(size, bytes, salt, label)));
  }

  /** Wipes the secret. */
  @Override
  public void close() {
    keyMaterial.close();
  }

  @Override
  public String toString() {
    return "VmSecret";
  }
}
