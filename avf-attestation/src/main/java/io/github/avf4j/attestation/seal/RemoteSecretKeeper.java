package io.github.avf4j.attestation.seal;

import io.github.avf4j.attestation.SecretBytes;
import io.github.avf4j.attestation.cbor.CborValue;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/** A keeper behind a transport. As thread-safe as the transport is. */
final class RemoteSecretKeeper implements SecretKeeper {
  private final UnaryOperator<SecretBytes> transport;

  RemoteSecretKeeper(UnaryOperator<SecretBytes> transport) {
    this.transport = transport;
  }

  @Override
  public void store(SecretId id, SecretBytes secret, SealingPolicy policy, ClientIdentity client) {
    exchange(
        SecretKeeperProtocol.storeRequest(id, secret, policy),
        result -> {
          if (result.isPresent()) {
            throw new SealException("response to store must have no result", -1);
          }
          return true;
        });
  }

  @Override
  public SecretBytes get(SecretId id, Optional<SealingPolicy> update, ClientIdentity client) {
    return exchange(
        SecretKeeperProtocol.getRequest(id, update),
        result ->
            SecretBytes.takeOver(
                result
                    .orElseThrow(() -> new SealException("response has no secret", -1))
                    .asBytes(SECRET_SIZE)
                    .toByteArray()));
  }

  @Override
  public boolean delete(SecretId id) {
    throw new UnsupportedOperationException("clients of a keeper cannot delete: the host does");
  }

  private <T> T exchange(SecretBytes request, Function<Optional<CborValue>, T> body) {
    try (request;
        SecretBytes response = transport.apply(request)) {
      byte[] bytes = response.toByteArray();
      try {
        return body.apply(SecretKeeperProtocol.result(bytes));
      } finally {
        Arrays.fill(bytes, (byte) 0);
      }
    }
  }
}
