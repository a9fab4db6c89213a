package io.github.avf4j.attestation.seal;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.SecretBytes;
import io.github.avf4j.attestation.cbor.CborReader;
import io.github.avf4j.attestation.cbor.CborValue;
import io.github.avf4j.attestation.cbor.CborWriter;
import io.github.avf4j.attestation.internal.Aes256Gcm;
import java.security.SecureRandom;
import java.util.List;

/**
 * One side of an encrypted session: messages in COSE_Encrypt0, each direction with its own key and
 * its own sequence, so that none can be changed, repeated, left out or put in another order.
 *
 * <p>A message that does not open ends nothing: the sequence stays where it is. Closing wipes the
 * keys. Confined to one thread.
 */
public final class SecretChannel implements AutoCloseable {
  private static final int ALG = 1;
  private static final int A256GCM = 3;
  private static final int KEY_ID = 4;
  private static final int IV = 5;

  private final SecretBytes outgoingKey;
  private final SecretBytes incomingKey;
  private final ByteSlice protectedHeader;
  private final AuthGraphDialect dialect;
  private final SecureRandom random = new SecureRandom();
  private long outgoing;
  private long incoming;

  SecretChannel(
      SecretBytes outgoingKey,
      SecretBytes incomingKey,
      ByteSlice sessionId,
      AuthGraphDialect dialect) {
    this.outgoingKey = outgoingKey;
    this.incomingKey = incomingKey;
    this.dialect = dialect;
    this.protectedHeader =
        ByteSlice.takeOver(
            new CborWriter(48)
                .map(2)
                .integer(ALG)
                .integer(A256GCM)
                .integer(KEY_ID)
                .bytes(sessionId)
                .toByteArray());
  }

  /** Encrypts the next message to the other side. */
  public byte[] seal(SecretBytes message) {
    byte[] iv = new byte[Aes256Gcm.IV_SIZE];
    random.nextBytes(iv);
    byte[] aad = encStructure(outgoing);
    byte[] ciphertext =
        outgoingKey.use(key -> message.use(plain -> Aes256Gcm.encrypt(key, iv, aad, plain)));
    outgoing = Math.incrementExact(outgoing);
    return new CborWriter(96 + ciphertext.length)
        .array(3)
        .bytes(protectedHeader)
        .map(1)
        .integer(IV)
        .bytes(iv)
        .bytes(ciphertext)
        .toByteArray();
  }

  /**
   * Decrypts the next message of the other side. The caller closes it.
   *
   * @throws SealException if it is not the next message of this session
   * @throws io.github.avf4j.attestation.cbor.CborException if it is malformed
   */
  public SecretBytes open(ByteSlice message) {
    List<CborValue> items = CborReader.decode(message).asArray(3);
    var unprotected = items.get(1).asMap();
    if (!items.get(0).asBytes().equals(protectedHeader) || unprotected.size() != 1) {
      throw new SealException("message is not of this session", message.offset());
    }
    byte[] iv = unprotected.require(IV, "IV").asBytes(Aes256Gcm.IV_SIZE).toByteArray();
    byte[] ciphertext = items.get(2).asBytes().toByteArray();
    byte[] aad = encStructure(incoming);
    byte[] plain =
        incomingKey
            .use(key -> Aes256Gcm.decrypt(key, iv, aad, ciphertext))
            .orElseThrow(
                () ->
                    new SealException("message is not the next of this session", message.offset()));
    incoming = Math.incrementExact(incoming);
    return SecretBytes.takeOver(plain);
  }

  private byte[] encStructure(long sequenceNumber) {
    return new CborWriter(96)
        .array(3)
        .text("Encrypt0")
        .bytes(protectedHeader)
        .bytes(dialect.externalAad(sequenceNumber))
        .toByteArray();
  }

  /** Wipes the keys. */
  @Override
  public void close() {
    incomingKey.close();
    outgoingKey.close();
  }
}
