package io.github.avf4j.attestation.seal;

import io.github.avf4j.attestation.SecretBytes;
import java.util.Optional;
import java.util.Set;

/** A keeper of which a client sees its own ids only. As thread-safe as the keeper is. */
final class LimitedSecretKeeper implements SecretKeeper {
  private final SecretKeeper keeper;
  private final Set<SecretId> ids;

  LimitedSecretKeeper(SecretKeeper keeper, Set<SecretId> ids) {
    this.keeper = keeper;
    this.ids = Set.copyOf(ids);
  }

  @Override
  public void store(SecretId id, SecretBytes secret, SealingPolicy policy, ClientIdentity client) {
    requireOwn(id);
    keeper.store(id, secret, policy, client);
  }

  @Override
  public SecretBytes get(SecretId id, Optional<SealingPolicy> update, ClientIdentity client) {
    requireOwn(id);
    return keeper.get(id, update, client);
  }

  @Override
  public SecretBytes getOrCreate(SecretId id, SealingPolicy policy, ClientIdentity client) {
    requireOwn(id);
    return keeper.getOrCreate(id, policy, client);
  }

  @Override
  public boolean delete(SecretId id) {
    throw new UnsupportedOperationException("clients of a keeper cannot delete: the host does");
  }

  private void requireOwn(SecretId id) {
    if (!ids.contains(id)) {
      throw new SecretKeeperException(
          SecretKeeperError.REQUEST_MALFORMED, "the id is none of this client's");
    }
  }
}
