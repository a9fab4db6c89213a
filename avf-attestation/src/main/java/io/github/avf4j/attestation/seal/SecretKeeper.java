package io.github.avf4j.attestation.seal;

import io.github.avf4j.attestation.SecretBytes;
import java.security.SecureRandom;
import java.util.Optional;
import java.util.Set;

/**
 * Keeps secrets of 32 bytes and gives each to clients that match its policy alone.
 *
 * <p>This is what protects a machine from being rolled back: a machine that has booted newer code
 * passes its policy as an update, and older code no longer matches. Implementations apply every
 * call as a whole or not at all, survive their process being ended at any time, and are
 * thread-safe. Calls may block.
 */
public interface SecretKeeper {
  /** The length of a secret, in bytes. */
  int SECRET_SIZE = 32;

  /**
   * Stores a secret, or replaces the one of this id, whose policy the client must then match.
   *
   * @param id the name of the secret
   * @param secret {@link #SECRET_SIZE} bytes, copied
   * @param policy who may have it, which the client itself must match
   * @param client who asks
   * @throws SecretKeeperException with {@link SecretKeeperError#DICE_POLICY} if the client does not
   *     match both policies
   */
  void store(SecretId id, SecretBytes secret, SealingPolicy policy, ClientIdentity client);

  /**
   * Gives a secret to a client that matches its policy.
   *
   * @param id the name of the secret
   * @param update the policy from now on, which the client must match too; empty to keep the old
   * @param client who asks
   * @return a copy that the caller closes; the update is durable when this returns
   * @throws SecretKeeperException with {@link SecretKeeperError#ENTRY_NOT_FOUND} if there is none,
   *     {@link SecretKeeperError#DICE_POLICY} if the client does not match
   */
  SecretBytes get(SecretId id, Optional<SealingPolicy> update, ClientIdentity client);

  /**
   * Forgets a secret, whatever its policy: for the host, when a machine is deleted. Never offered
   * to clients.
   *
   * @return whether there was one
   */
  boolean delete(SecretId id);

  /**
   * The secret of a machine at boot: the one that is kept, or a new one of random bytes where none
   * is. The policy is that of the chain as it is, and replaces the one before.
   *
   * <p>Unless overridden, these are two calls: of two machines that create one secret at once, the
   * first may get a secret that the second then replaces.
   *
   * @return a copy that the caller closes
   * @throws SecretKeeperException with {@link SecretKeeperError#DICE_POLICY} if the client is older
   *     than what booted before, or another
   */
  default SecretBytes getOrCreate(SecretId id, SealingPolicy policy, ClientIdentity client) {
    try {
      return get(id, Optional.of(policy), client);
    } catch (SecretKeeperException e) {
      if (e.error() != SecretKeeperError.ENTRY_NOT_FOUND) {
        throw e;
      }
    }
    SecretBytes secret = randomSecret();
    try {
      store(id, secret, policy, client);
      return secret;
    } catch (RuntimeException e) {
      secret.close();
      throw e;
    }
  }

  /**
   * This keeper for a client that may keep secrets under these ids only; what it asks for others is
   * refused as malformed, whether there are any or not. It cannot delete.
   *
   * @param ids all that the client may name, copied
   */
  default SecretKeeper limitedTo(Set<SecretId> ids) {
    return new LimitedSecretKeeper(this, ids);
  }

  /** A secret of random bytes, which the caller closes. */
  static SecretBytes randomSecret() {
    byte[] random = new byte[SECRET_SIZE];
    new SecureRandom().nextBytes(random);
    return SecretBytes.takeOver(random);
  }
}
