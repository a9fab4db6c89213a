package io.github.avf4j.attestation.seal;

import io.github.avf4j.attestation.AttestationException;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.SecretBytes;
import io.github.avf4j.attestation.cbor.CborReader;
import io.github.avf4j.attestation.cbor.CborValue;
import io.github.avf4j.attestation.cbor.CborWriter;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;

/**
 * The requests and responses of a keeper in plaintext (SecretManagement.cddl).
 *
 * <p>{@link #process} is the keeper's side, {@link #client} the machine's. Stateless and
 * thread-safe.
 */
public final class SecretKeeperProtocol {
  /** The version that is reported. */
  public static final int VERSION = 1;

  private static final int GET_VERSION = 1;
  private static final int STORE = 2;
  private static final int GET = 3;

  private SecretKeeperProtocol() {}

  /**
   * Answers a request. Refusals are responses as well; nothing is thrown for what a client sent.
   *
   * @param client who asks, as the key exchange showed
   * @return the response, which the caller closes
   */
  public static SecretBytes process(
      SecretKeeper keeper, ClientIdentity client, SecretBytes request) {
    try {
      byte[] bytes = request.toByteArray();
      try {
        return answer(keeper, client, CborReader.decode(ByteSlice.takeOver(bytes)));
      } finally {
        Arrays.fill(bytes, (byte) 0);
      }
    } catch (SecretKeeperException e) {
      // What went wrong on the host, and where, is not for guests.
      boolean hosts = e.error() == SecretKeeperError.UNEXPECTED_SERVER_ERROR;
      return refusal(e.error(), hosts ? "the keeper failed" : e.reason());
    } catch (AttestationException e) {
      return refusal(SecretKeeperError.REQUEST_MALFORMED, e.reason());
    }
  }

  private static SecretBytes answer(SecretKeeper keeper, ClientIdentity client, CborValue request) {
    List<CborValue> items = request.asArray().items();
    long opcode = items.isEmpty() ? 0 : items.get(0).asLong();
    CborWriter out = new CborWriter(64);
    if (opcode == GET_VERSION) {
      request.asArray(1);
      out.array(2).integer(0).integer(VERSION);
    } else if (opcode == STORE) {
      request.asArray(4);
      SealingPolicy policy = SealingPolicy.decode(copy(items.get(3)));
      byte[] secret = items.get(2).asBytes(SecretKeeper.SECRET_SIZE).toByteArray();
      try (SecretBytes held = SecretBytes.takeOver(secret)) {
        keeper.store(new SecretId(copy(items.get(1))), held, policy, client);
      }
      out.array(1).integer(0);
    } else if (opcode == GET) {
      request.asArray(3);
      Optional<SealingPolicy> update =
          items.get(2).isNull()
              ? Optional.empty()
              : Optional.of(SealingPolicy.decode(copy(items.get(2))));
      try (SecretBytes secret = keeper.get(new SecretId(copy(items.get(1))), update, client)) {
        secret.use(bytes -> out.array(2).integer(0).bytes(bytes).size());
      }
    } else {
      throw new SealException("request has opcode " + opcode, request.position());
    }
    return take(out);
  }

  /** The request is wiped once it is answered, so nothing that outlives it may be a part of it. */
  private static ByteSlice copy(CborValue bytes) {
    return ByteSlice.takeOver(bytes.asBytes().toByteArray());
  }

  private static SecretBytes refusal(SecretKeeperError error, String reason) {
    return take(new CborWriter(128).array(2).integer(error.code()).text(reason));
  }

  private static SecretBytes take(CborWriter out) {
    SecretBytes bytes = SecretBytes.takeOver(out.toByteArray());
    out.wipe();
    return bytes;
  }

  /**
   * A keeper that is reached by exchanging requests and responses; who asks is what the transport
   * showed, so the client that is passed to its methods is not used. It cannot delete.
   *
   * @param transport takes a request and gives the response, both in plaintext
   */
  public static SecretKeeper client(UnaryOperator<SecretBytes> transport) {
    return new RemoteSecretKeeper(transport);
  }

  static SecretBytes storeRequest(SecretId id, SecretBytes secret, SealingPolicy policy) {
    CborWriter out = new CborWriter(160 + policy.encoded().length());
    out.array(4).integer(STORE).bytes(id.bytes());
    secret.use(bytes -> out.bytes(bytes).size());
    return take(out.bytes(policy.encoded()));
  }

  static SecretBytes getRequest(SecretId id, Optional<SealingPolicy> update) {
    CborWriter out = new CborWriter(128);
    out.array(3).integer(GET).bytes(id.bytes());
    update.ifPresentOrElse(policy -> out.bytes(policy.encoded()), out::nul);
    return take(out);
  }

  /** The request for the version. */
  static SecretBytes versionRequest() {
    return take(new CborWriter(2).array(1).integer(GET_VERSION));
  }

  /** The result of a response, or the exception that it stands for. */
  static Optional<CborValue> result(byte[] response) {
    List<CborValue> items = CborReader.decode(ByteSlice.takeOver(response)).asArray().items();
    if (items.isEmpty() || items.size() > 2) {
      throw new SealException("response must have 1 or 2 items but has " + items.size(), 0);
    }
    long code = items.get(0).asLong();
    if (code != 0) {
      throw new SecretKeeperException(
          SecretKeeperError.ofCode(code),
          "the secret keeper refused with code "
              + code
              + (items.size() == 2 ? ": " + items.get(1).asText() : ""));
    }
    return items.size() == 2 ? Optional.of(items.get(1)) : Optional.empty();
  }
}
