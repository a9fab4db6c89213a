package io.github.avf4j.attestation.seal;

import io.github.avf4j.attestation.SecretBytes;
import io.github.avf4j.attestation.cose.CoseAlgorithm;
import io.github.avf4j.attestation.cose.CosePrivateKey;
import io.github.avf4j.attestation.cose.CosePublicKey;
import io.github.avf4j.attestation.internal.Hkdf;

/**
 * Who the keeper of a device is: a key that is derived from the {@link DeviceSecret} and so stays
 * the same as long as what the keeper can open.
 *
 * <p>Machines must learn the public key in a way that they trust. Closing wipes the private one.
 * Thread-safe.
 */
public final class KeeperIdentity implements AutoCloseable {
  private static final String INFO = "avf4j secret keeper identity";

  private final CosePrivateKey key;

  private KeeperIdentity(CosePrivateKey key) {
    this.key = key;
  }

  /**
   * The identity of the keeper of this device.
   *
   * @throws DeviceSecretException if the secret cannot be had
   */
  public static KeeperIdentity of(DeviceSecret device) {
    try (SecretBytes secret = device.secret();
        SecretBytes seed =
            SecretBytes.takeOver(
                secret.use(bytes -> Hkdf.sha512(DeviceSecret.SIZE, bytes, new byte[0], INFO)))) {
      return new KeeperIdentity(CosePrivateKey.ofSecret(CoseAlgorithm.ED25519, seed));
    }
  }

  /** What machines are told. */
  public CosePublicKey publicKey() {
    return key.publicKey();
  }

  CosePrivateKey key() {
    return key;
  }

  /** Wipes the private key. */
  @Override
  public void close() {
    key.close();
  }

  @Override
  public String toString() {
    return "KeeperIdentity[" + publicKey() + "]";
  }
}
