package io.github.avf4j.attestation.seal;

import io.github.avf4j.attestation.AttestationException;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.SecretBytes;
import io.github.avf4j.attestation.cbor.CborReader;
import io.github.avf4j.attestation.cbor.CborValue;
import io.github.avf4j.attestation.cbor.CborWriter;
import io.github.avf4j.attestation.cose.CosePrivateKey;
import io.github.avf4j.attestation.cose.CosePublicKey;
import java.util.List;

/**
 * The side of the machine in an AuthGraph key exchange (P1).
 *
 * <p>Send {@link #hello}, give the answer to {@link #finish}, send its signature. One object serves
 * one exchange. Confined to one thread.
 */
public final class AuthGraphSource {
  private final ClientIdentity identity;
  private final CosePrivateKey key;
  private final AuthGraphDialect dialect;
  private final ExchangeKey exchangeKey;
  private final ByteSlice nonce = AuthGraphKeys.freshNonce();
  private boolean finished;

  /**
   * What the source sends first.
   *
   * @param exchangeKey its ephemeral key, an encoded COSE_Key
   * @param identity its encoded identity
   * @param nonce 16 fresh bytes
   * @param version the version it speaks
   */
  public record Hello(ByteSlice exchangeKey, ByteSlice identity, ByteSlice nonce, int version) {
    /** The message as an array in CBOR, in the order of the components. */
    public byte[] encode() {
      return new CborWriter(identity.length() + 160)
          .array(4)
          .bytes(exchangeKey)
          .bytes(identity)
          .bytes(nonce)
          .integer(version)
          .toByteArray();
    }

    /**
     * Decodes an array in CBOR.
     *
     * @throws AttestationException if it is malformed; the contents are not looked at
     */
    public static Hello decode(ByteSlice bytes) {
      List<CborValue> items = CborReader.decode(bytes).asArray(4);
      return new Hello(
          items.get(0).asBytes(),
          items.get(1).asBytes(),
          items.get(2).asBytes(),
          AuthGraphKeys.version(items.get(3)));
    }
  }

  /**
   * What the exchange ends in.
   *
   * @param signature to be sent to the sink
   * @param channel for the messages after it; the caller closes it
   */
  public record Result(ByteSlice signature, SecretChannel channel) {}

  /**
   * Makes the side of a machine.
   *
   * @param identity its chain
   * @param key the private key of the chain's last layer, which the caller keeps open
   */
  public AuthGraphSource(ClientIdentity identity, CosePrivateKey key, AuthGraphDialect dialect) {
    if (!key.publicKey().equals(identity.verificationKey())) {
      throw new IllegalArgumentException("key must be that of the last layer of the chain");
    }
    this.identity = identity;
    this.key = key;
    this.dialect = dialect;
    this.exchangeKey = ExchangeKey.generate(dialect);
  }

  /** The first message. */
  public Hello hello() {
    return new Hello(exchangeKey.publicKey(), identity.encode(), nonce, dialect.version());
  }

  /**
   * Takes the answer of the sink.
   *
   * @param expected the root key that the sink must have, from a trusted place
   * @throws AttestationException if the answer is malformed, the sink is another, or its signature
   *     does not verify
   */
  public Result finish(AuthGraphSink.Answer answer, CosePublicKey expected) {
    if (finished) {
      throw new IllegalStateException("finish() was called before: an exchange is for one session");
    }
    finished = true;
    ClientIdentity sink = ClientIdentity.decode(answer.identity());
    if (!sink.hasRootKey(expected)) {
      throw new SealException("the keeper's root key is not the one that is expected", -1);
    }
    if (answer.version() != dialect.version()) {
      throw new SealException("the keeper speaks version " + answer.version(), -1);
    }
    AuthGraphTranscript transcript =
        new AuthGraphTranscript(
            dialect.version(),
            answer.exchangeKey(),
            exchangeKey.publicKey(),
            answer.nonce(),
            nonce,
            sink,
            identity);
    try (SecretBytes shared = exchangeKey.agree(answer.exchangeKey(), dialect);
        AuthGraphKeys keys = AuthGraphKeys.derive(shared, transcript, dialect)) {
      keys.verify(sink, answer.signature());
      return new Result(keys.sign(key), keys.channel(true, dialect));
    }
  }
}
