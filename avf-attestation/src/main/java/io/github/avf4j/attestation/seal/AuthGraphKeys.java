package io.github.avf4j.attestation.seal;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.SecretBytes;
import io.github.avf4j.attestation.cbor.CborReader;
import io.github.avf4j.attestation.cbor.CborValue;
import io.github.avf4j.attestation.cbor.CborWriter;
import io.github.avf4j.attestation.cose.CosePrivateKey;
import io.github.avf4j.attestation.cose.CoseSign1;
import io.github.avf4j.attestation.internal.Digests;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import org.bouncycastle.crypto.digests.SHA256Digest;
import org.bouncycastle.crypto.generators.HKDFBytesGenerator;
import org.bouncycastle.crypto.macs.HMac;
import org.bouncycastle.crypto.params.HKDFParameters;
import org.bouncycastle.crypto.params.KeyParameter;

/** The keys and the id of one session. Closing wipes the keys. */
final class AuthGraphKeys implements AutoCloseable {
  private static final int SIZE = 32;

  private final SecretBytes sourceToSink;
  private final SecretBytes sinkToSource;
  private final ByteSlice sessionId;

  private AuthGraphKeys(SecretBytes sourceToSink, SecretBytes sinkToSource, ByteSlice sessionId) {
    this.sourceToSink = sourceToSink;
    this.sinkToSource = sinkToSource;
    this.sessionId = sessionId;
  }

  static AuthGraphKeys derive(
      SecretBytes shared, AuthGraphTranscript transcript, AuthGraphDialect dialect) {
    byte[] salt = Digests.sha2(SIZE, ByteSlice.takeOver(dialect.saltInput(transcript)));
    byte[] nonces =
        new CborWriter(48)
            .array(2)
            .bytes(transcript.sinkNonce())
            .bytes(transcript.sourceNonce())
            .toByteArray();
    return shared.use(
        secret -> {
          try (SecretBytes macKey = expand(secret, salt, "KE_HMAC_KEY")) {
            return new AuthGraphKeys(
                expand(secret, salt, "KE_ENCRYPTION_KEY_SOURCE_TO_SINK"),
                expand(secret, salt, "KE_ENCRYPTION_KEY_SINK_TO_SOURCE"),
                ByteSlice.takeOver(hmac(macKey, nonces)));
          }
        });
  }

  private static SecretBytes expand(byte[] secret, byte[] salt, String info) {
    HKDFBytesGenerator generator = new HKDFBytesGenerator(new SHA256Digest());
    generator.init(new HKDFParameters(secret, salt, info.getBytes(StandardCharsets.US_ASCII)));
    byte[] out = new byte[SIZE];
    generator.generateBytes(out, 0, SIZE);
    return SecretBytes.takeOver(out);
  }

  private static byte[] hmac(SecretBytes key, byte[] message) {
    HMac mac = new HMac(new SHA256Digest());
    byte[] out = new byte[SIZE];
    key.use(
        bytes -> {
          mac.init(new KeyParameter(bytes));
          mac.update(message, 0, message.length);
          return mac.doFinal(out, 0);
        });
    return out;
  }

  /** A version number of a message. */
  static int version(CborValue value) {
    long version = value.asLong();
    if (version < 0 || version > Integer.MAX_VALUE) {
      throw new SealException("version of the exchange is " + version, value.position());
    }
    return (int) version;
  }

  static ByteSlice freshNonce() {
    byte[] nonce = new byte[AuthGraphTranscript.NONCE_SIZE];
    new SecureRandom().nextBytes(nonce);
    return ByteSlice.takeOver(nonce);
  }

  ByteSlice sessionId() {
    return sessionId;
  }

  ByteSlice sign(CosePrivateKey key) {
    return ByteSlice.takeOver(CoseSign1.signDetached(key, sessionId, ByteSlice.EMPTY));
  }

  void verify(ClientIdentity peer, ByteSlice signature) {
    CoseSign1.parse(CborReader.decode(signature))
        .verifyDetached(peer.verificationKey(), ByteSlice.EMPTY, sessionId);
  }

  SecretChannel channel(boolean source, AuthGraphDialect dialect) {
    return source
        ? new SecretChannel(sourceToSink.copy(), sinkToSource.copy(), sessionId, dialect)
        : new SecretChannel(sinkToSource.copy(), sourceToSink.copy(), sessionId, dialect);
  }

  @Override
  public void close() {
    sinkToSource.close();
    sourceToSink.close();
  }
}
