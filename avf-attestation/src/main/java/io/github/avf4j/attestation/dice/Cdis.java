package io.github.avf4j.attestation.dice;

import io.github.avf4j.attestation.SecretBytes;
import io.github.avf4j.attestation.internal.Hkdf;
import java.util.Arrays;

/**
 * The two secrets of a layer, 32 bytes each: one to attest with, which depends on all that is known
 * of the layer, and one to seal with, which survives an update of its code.
 *
 * <p>Closing wipes both. Thread-safe.
 */
public final class Cdis implements AutoCloseable {
  /** The length of each secret, in bytes. */
  public static final int SIZE = 32;

  private final SecretBytes attest;
  private final SecretBytes seal;

  private Cdis(SecretBytes attest, SecretBytes seal) {
    this.attest = attest;
    this.seal = seal;
  }

  /** Makes a pair of copies of two secrets of 32 bytes. */
  public static Cdis copyOf(SecretBytes attest, SecretBytes seal) {
    if (attest.length() != SIZE || seal.length() != SIZE) {
      throw new IllegalArgumentException(
          "CDIs must have 32 bytes but have " + attest.length() + " and " + seal.length());
    }
    return new Cdis(attest.copy(), seal.copy());
  }

  /** Makes the pair of a device whose unique secret serves as both. */
  public static Cdis ofUniqueDeviceSecret(SecretBytes uds) {
    return copyOf(uds, uds);
  }

  /** The unique device secret of an internal and an external secret: UDS scheme 2. */
  public static SecretBytes uniqueDeviceSecret(SecretBytes internal, SecretBytes external) {
    return internal.use(
        in -> external.use(ex -> SecretBytes.takeOver(Hkdf.sha512(SIZE, in, ex, "UDS"))));
  }

  /** The secret to attest with. */
  public SecretBytes attest() {
    return attest;
  }

  /** The secret to seal with. */
  public SecretBytes seal() {
    return seal;
  }

  /** The secrets of the next layer. The caller closes them. */
  public Cdis next(DiceInput input) {
    byte[] attestSalt = input.attestSalt();
    byte[] sealSalt = input.sealSalt();
    try {
      return new Cdis(derive(attest, attestSalt, "CDI_Attest"), derive(seal, sealSalt, "CDI_Seal"));
    } finally {
      Arrays.fill(attestSalt, (byte) 0);
      Arrays.fill(sealSalt, (byte) 0);
    }
  }

  /**
   * The seed of a sealing key for a version of a layer, which an older layer cannot derive.
   *
   * @param input authority, mode and hidden input of the layer; the rest is not used
   */
  public SecretBytes versionedSealingKeySeed(DiceInput input) {
    byte[] salt = input.sealSalt();
    try {
      return derive(seal, salt, "VKDF_SEED");
    } finally {
      Arrays.fill(salt, (byte) 0);
    }
  }

  private static SecretBytes derive(SecretBytes secret, byte[] salt, String info) {
    return secret.use(bytes -> SecretBytes.takeOver(Hkdf.sha512(SIZE, bytes, salt, info)));
  }

  /** Wipes both secrets. */
  @Override
  public void close() {
    seal.close();
    attest.close();
  }

  @Override
  public String toString() {
    return "Cdis[2 secrets]";
  }
}
