package io.github.avf4j.attestation.cose;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.cbor.CborValue;
import io.github.avf4j.attestation.cbor.CborWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A message with several signatures: an untagged COSE_Sign (RFC 9052, section 4.1).
 *
 * <p>Immutable and thread-safe.
 */
public final class CoseSign {
  private final CborValue source;
  private final ByteSlice protectedHeader;
  private final ByteSlice payload;
  private final List<Signature> signatures;

  private record Signature(
      ByteSlice protectedHeader,
      Optional<CoseAlgorithm> algorithm,
      ByteSlice signature,
      long position) {}

  private CoseSign(
      CborValue source, ByteSlice protectedHeader, ByteSlice payload, List<Signature> signatures) {
    this.source = source;
    this.protectedHeader = protectedHeader;
    this.payload = payload;
    this.signatures = signatures;
  }

  /**
   * Takes a message apart without verifying it.
   *
   * @throws io.github.avf4j.attestation.cbor.CborException if an element has the wrong type
   * @throws CoseException if a header is not acceptable
   */
  public static CoseSign parse(CborValue message) {
    List<CborValue> items = message.asArray(4);
    ByteSlice header = items.get(0).asBytes();
    ProtectedHeader.decode(header);
    ProtectedHeader.refuseUnprotected(items.get(1));
    List<Signature> signatures = new ArrayList<>();
    for (CborValue item : items.get(3).asArray().items()) {
      List<CborValue> parts = item.asArray(3);
      ByteSlice signHeader = parts.get(0).asBytes();
      Optional<CoseAlgorithm> algorithm =
          ProtectedHeader.algorithm(ProtectedHeader.decode(signHeader));
      ProtectedHeader.refuseUnprotected(parts.get(1));
      signatures.add(new Signature(signHeader, algorithm, parts.get(2).asBytes(), item.position()));
    }
    return new CoseSign(message, header, items.get(2).asBytes(), List.copyOf(signatures));
  }

  /**
   * Signs a payload with each key in order; the header of the body is a byte string of no bytes.
   * Returns the encoded message.
   */
  public static byte[] sign(ByteSlice payload, ByteSlice externalAad, List<CosePrivateKey> keys) {
    CborWriter out = new CborWriter(64 + payload.length() + 128 * keys.size());
    out.array(4).bytes(ByteSlice.EMPTY).map(0).bytes(payload).array(keys.size());
    for (CosePrivateKey key : keys) {
      ByteSlice header = key.algorithm().protectedHeader();
      byte[] message = SigStructure.ofSign(ByteSlice.EMPTY, header, externalAad, payload);
      out.array(3).bytes(header).map(0).bytes(key.sign(message));
    }
    return out.toByteArray();
  }

  /** The payload. */
  public ByteSlice payload() {
    return payload;
  }

  /** The number of signatures. */
  public int signatureCount() {
    return signatures.size();
  }

  /** The whole message as received. */
  public ByteSlice encoded() {
    return source.encoded();
  }

  /**
   * Verifies one of the signatures.
   *
   * @param index which one, from 0
   * @throws CoseException if its header does not name the algorithm of the key
   * @throws InvalidSignatureException if the signature is not that of the key
   */
  public void verify(int index, CosePublicKey key, ByteSlice externalAad) {
    Signature signature = signatures.get(index);
    ProtectedHeader.checkAlgorithm(signature.algorithm(), key, signature.position());
    byte[] message =
        SigStructure.ofSign(protectedHeader, signature.protectedHeader(), externalAad, payload);
    if (!key.verify(message, signature.signature().toByteArray())) {
      throw new InvalidSignatureException(signature.position());
    }
  }
}
