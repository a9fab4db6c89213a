package io.github.avf4j.attestation.cose;

import io.github.avf4j.attestation.ByteSlice;
import org.bouncycastle.math.ec.rfc8032.Ed25519;

/** Keeps the decoded point, so that verification does not decode it again. */
final class Ed25519PublicKey extends CosePublicKey {
  private final Ed25519.PublicPoint point;

  Ed25519PublicKey(ByteSlice raw) {
    super(CoseAlgorithm.ED25519, raw);
    Ed25519.PublicPoint decoded = Ed25519.validatePublicKeyPartialExport(raw.toByteArray(), 0);
    if (decoded == null) {
      throw new CoseException("Ed25519 public key is not a point of the curve", raw.offset());
    }
    this.point = decoded;
  }

  @Override
  public boolean verify(byte[] message, byte[] signature) {
    return signature.length == Ed25519.SIGNATURE_SIZE
        && Ed25519.verify(signature, 0, point, message, 0, message.length);
  }
}
