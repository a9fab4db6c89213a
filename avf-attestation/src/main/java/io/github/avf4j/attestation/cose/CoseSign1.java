package io.github.avf4j.attestation.cose;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.cbor.CborException;
import io.github.avf4j.attestation.cbor.CborMap;
import io.github.avf4j.attestation.cbor.CborValue;
import io.github.avf4j.attestation.cbor.CborWriter;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A message with one signature: an untagged COSE_Sign1 (RFC 9052, section 4.2).
 *
 * <p>Holds the bytes as received; nothing is encoded anew before it is verified. Immutable and
 * thread-safe.
 */
public final class CoseSign1 {
  private final CborValue source;
  private final ByteSlice protectedHeader;
  private final Optional<CoseAlgorithm> algorithm;
  private final @Nullable ByteSlice payload;
  private final ByteSlice signature;

  private CoseSign1(
      CborValue source,
      ByteSlice protectedHeader,
      Optional<CoseAlgorithm> algorithm,
      @Nullable ByteSlice payload,
      ByteSlice signature) {
    this.source = source;
    this.protectedHeader = protectedHeader;
    this.algorithm = algorithm;
    this.payload = payload;
    this.signature = signature;
  }

  /**
   * Takes a message apart without verifying it.
   *
   * @throws CborException if an element has the wrong type
   * @throws CoseException if a header is not acceptable
   */
  public static CoseSign1 parse(CborValue message) {
    List<CborValue> items = message.asArray(4);
    ByteSlice header = items.get(0).asBytes();
    CborMap decoded = ProtectedHeader.decode(header);
    ProtectedHeader.refuseUnprotected(items.get(1));
    CborValue payload = items.get(2);
    return new CoseSign1(
        message,
        header,
        ProtectedHeader.algorithm(decoded),
        payload.isNull() ? null : payload.asBytes(),
        items.get(3).asBytes());
  }

  /** Signs a payload; the header holds the algorithm alone. Returns the encoded message. */
  public static byte[] sign(CosePrivateKey key, ByteSlice payload, ByteSlice externalAad) {
    return make(key, payload, externalAad, true);
  }

  /** Signs a payload that is not part of the message. Returns the encoded message. */
  public static byte[] signDetached(CosePrivateKey key, ByteSlice payload, ByteSlice externalAad) {
    return make(key, payload, externalAad, false);
  }

  private static byte[] make(
      CosePrivateKey key, ByteSlice payload, ByteSlice externalAad, boolean attached) {
    ByteSlice header = key.algorithm().protectedHeader();
    byte[] signature = key.sign(SigStructure.ofSign1(header, externalAad, payload));
    CborWriter out = new CborWriter(32 + payload.length() + signature.length);
    out.array(4).bytes(header).map(0);
    if (attached) {
      out.bytes(payload);
    } else {
      out.nul();
    }
    return out.bytes(signature).toByteArray();
  }

  /** The content of the protected header. */
  public ByteSlice protectedHeader() {
    return protectedHeader;
  }

  /** The algorithm that the header names, if it is known. */
  public Optional<CoseAlgorithm> algorithm() {
    return algorithm;
  }

  /** The payload; throws {@link CoseException} if it is not part of the message. */
  public ByteSlice payload() {
    if (payload == null) {
      throw new CoseException("the message has no payload", position());
    }
    return payload;
  }

  /** Whether the payload is part of the message. */
  public boolean hasPayload() {
    return payload != null;
  }

  /** The signature. */
  public ByteSlice signature() {
    return signature;
  }

  /** The whole message as received. */
  public ByteSlice encoded() {
    return source.encoded();
  }

  /**
   * Verifies the message with an empty external AAD.
   *
   * @throws CoseException if the header does not name the algorithm of the key, or there is no
   *     payload
   * @throws InvalidSignatureException if the signature is not that of the key
   */
  public void verify(CosePublicKey key) {
    verify(key, ByteSlice.EMPTY);
  }

  /** Verifies the message as {@link #verify(CosePublicKey)} does. */
  public void verify(CosePublicKey key, ByteSlice externalAad) {
    verify(key, externalAad, payload());
  }

  /** Verifies a message whose payload is not part of it. */
  public void verifyDetached(CosePublicKey key, ByteSlice externalAad, ByteSlice detached) {
    if (payload != null) {
      throw new CoseException("the message must not hold its payload", position());
    }
    verify(key, externalAad, detached);
  }

  private void verify(CosePublicKey key, ByteSlice externalAad, ByteSlice content) {
    ProtectedHeader.checkAlgorithm(algorithm, key, position());
    byte[] message = SigStructure.ofSign1(protectedHeader, externalAad, content);
    if (!key.verify(message, signature.toByteArray())) {
      throw new InvalidSignatureException(position());
    }
  }

  private long position() {
    return source.position();
  }
}
