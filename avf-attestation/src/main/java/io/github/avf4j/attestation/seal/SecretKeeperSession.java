package io.github.avf4j.attestation.seal;

import io.github.avf4j.attestation.AttestationException;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.SecretBytes;
import org.jspecify.annotations.Nullable;

/**
 * The keeper's side of what one machine says to it: a key exchange, then requests.
 *
 * <p>A new exchange ends the session before it. What is malformed, or comes out of turn, is refused
 * and changes nothing but an exchange that has begun, which is over. Closing wipes all keys, after
 * which everything is refused. Confined to one thread.
 */
public final class SecretKeeperSession implements AutoCloseable {
  private final SecretKeeper keeper;
  private final KeeperIdentity identity;
  private final AuthGraphDialect dialect;
  private @Nullable AuthGraphSink exchange;
  private AuthGraphSink.@Nullable Result session;
  private boolean closed;

  /**
   * Makes the side of a keeper.
   *
   * @param keeper what is behind it, which should be {@linkplain SecretKeeper#limitedTo limited}
   * @param identity who it is, which the caller keeps open
   */
  public SecretKeeperSession(
      SecretKeeper keeper, KeeperIdentity identity, AuthGraphDialect dialect) {
    this.keeper = keeper;
    this.identity = identity;
    this.dialect = dialect;
  }

  /**
   * Begins a key exchange.
   *
   * @param hello an encoded {@link AuthGraphSource.Hello}
   * @return an encoded {@link AuthGraphSink.Answer}
   * @throws AttestationException if it is malformed or its chain is not consistent
   */
  public byte[] begin(ByteSlice hello) {
    end();
    requireOpen();
    AuthGraphSink sink =
        new AuthGraphSink(ClientIdentity.ofRootKey(identity.publicKey()), identity.key(), dialect);
    byte[] answer = sink.answer(AuthGraphSource.Hello.decode(hello)).encode();
    exchange = sink;
    return answer;
  }

  /**
   * Ends the key exchange; the session begins.
   *
   * @param signature of the machine, over the id of the session
   * @throws AttestationException if there is no exchange, or the signature does not verify
   */
  public void complete(ByteSlice signature) {
    AuthGraphSink begun = exchange;
    exchange = null;
    if (begun == null) {
      throw new SealException("there is no key exchange to complete", -1);
    }
    try (begun) {
      session = begun.complete(signature);
    }
  }

  /**
   * Answers a request. That the keeper refuses is an answer, too.
   *
   * @param message encrypted, as is what this returns
   * @throws AttestationException if it is not the next message of the session
   */
  public byte[] answer(ByteSlice message) {
    AuthGraphSink.Result open = session;
    if (open == null) {
      throw new SealException("there is no session: exchange keys first", -1);
    }
    try (SecretBytes request = open.channel().open(message);
        SecretBytes response = SecretKeeperProtocol.process(keeper, open.client(), request)) {
      return open.channel().seal(response);
    }
  }

  private void requireOpen() {
    if (closed) {
      throw new SealException("the keeper does not serve this machine any more", -1);
    }
  }

  private void end() {
    if (exchange != null) {
      exchange.close();
      exchange = null;
    }
    if (session != null) {
      session.channel().close();
      session = null;
    }
  }

  /** Wipes the keys of the session; the keeper and its identity stay open. Idempotent. */
  @Override
  public void close() {
    closed = true;
    end();
  }
}
