package io.github.avf4j.attestation.seal;

import io.github.avf4j.attestation.AttestationException;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.SecretBytes;
import io.github.avf4j.attestation.cbor.CborReader;
import io.github.avf4j.attestation.cbor.CborValue;
import io.github.avf4j.attestation.cbor.CborWriter;
import io.github.avf4j.attestation.cose.CosePrivateKey;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The side of the keeper in an AuthGraph key exchange (P2).
 *
 * <p>Give the source's first message to {@link #answer}, send the result, give the source's
 * signature to {@link #complete}. One object serves one exchange; closing wipes its keys. Confined
 * to one thread.
 */
public final class AuthGraphSink implements AutoCloseable {
  private final ClientIdentity identity;
  private final CosePrivateKey key;
  private final AuthGraphDialect dialect;
  private @Nullable AuthGraphKeys keys;
  private @Nullable ClientIdentity source;

  /**
   * What the sink answers.
   *
   * @param exchangeKey its ephemeral key, an encoded COSE_Key
   * @param identity its encoded identity
   * @param nonce 16 fresh bytes
   * @param version the version it speaks
   * @param sessionId the id of the session, 32 bytes
   * @param signature over the id, by the key of its identity
   */
  public record Answer(
      ByteSlice exchangeKey,
      ByteSlice identity,
      ByteSlice nonce,
      int version,
      ByteSlice sessionId,
      ByteSlice signature) {
    /** The message as an array in CBOR, in the order of the components. */
    public byte[] encode() {
      return new CborWriter(identity.length() + 320)
          .array(6)
          .bytes(exchangeKey)
          .bytes(identity)
          .bytes(nonce)
          .integer(version)
          .bytes(sessionId)
          .bytes(signature)
          .toByteArray();
    }

    /**
     * Decodes an array in CBOR.
     *
     * @throws AttestationException if it is malformed; the contents are not looked at
     */
    public static Answer decode(ByteSlice bytes) {
      List<CborValue> items = CborReader.decode(bytes).asArray(6);
      return new Answer(
          items.get(0).asBytes(),
          items.get(1).asBytes(),
          items.get(2).asBytes(),
          AuthGraphKeys.version(items.get(3)),
          items.get(4).asBytes(),
          items.get(5).asBytes());
    }
  }

  /**
   * What the exchange ends in.
   *
   * @param client who the source is, and that it holds the key of its last layer
   * @param channel for the messages after it; the caller closes it
   */
  public record Result(ClientIdentity client, SecretChannel channel) {}

  /**
   * Makes the side of a keeper.
   *
   * @param identity its chain, or its root key alone
   * @param key the private key that belongs to it, which the caller keeps open
   */
  public AuthGraphSink(ClientIdentity identity, CosePrivateKey key, AuthGraphDialect dialect) {
    if (!key.publicKey().equals(identity.verificationKey())) {
      throw new IllegalArgumentException("key must be that of the identity");
    }
    this.identity = identity;
    this.key = key;
    this.dialect = dialect;
  }

  /**
   * Takes the first message of the source.
   *
   * @throws AttestationException if it is malformed or its chain is not consistent
   */
  public Answer answer(AuthGraphSource.Hello hello) {
    if (keys != null) {
      throw new IllegalStateException("answer() was called before: an exchange is for one session");
    }
    if (hello.version() < 1) {
      throw new SealException("the client speaks version " + hello.version(), -1);
    }
    ClientIdentity peer = ClientIdentity.decode(hello.identity());
    ExchangeKey own = ExchangeKey.generate(dialect);
    ByteSlice nonce = AuthGraphKeys.freshNonce();
    AuthGraphTranscript transcript =
        new AuthGraphTranscript(
            hello.version(),
            own.publicKey(),
            hello.exchangeKey(),
            nonce,
            hello.nonce(),
            identity,
            peer);
    try (SecretBytes shared = own.agree(hello.exchangeKey(), dialect)) {
      AuthGraphKeys derived = AuthGraphKeys.derive(shared, transcript, dialect);
      keys = derived;
      source = peer;
      return new Answer(
          own.publicKey(),
          identity.encode(),
          nonce,
          dialect.version(),
          derived.sessionId(),
          derived.sign(key));
    }
  }

  /**
   * Takes the signature of the source, after which it is known to hold its key.
   *
   * @throws AttestationException if the signature does not verify; the exchange is then over
   */
  public Result complete(ByteSlice signature) {
    AuthGraphKeys derived = keys;
    ClientIdentity peer = source;
    if (derived == null || peer == null) {
      throw new IllegalStateException("complete() needs answer() first, and comes once");
    }
    source = null;
    try (derived) {
      derived.verify(peer, signature);
      return new Result(peer, derived.channel(false, dialect));
    }
  }

  /** Wipes the keys of an exchange that was not completed. */
  @Override
  public void close() {
    if (keys != null) {
      keys.close();
    }
  }
}
