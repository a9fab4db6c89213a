package io.github.avf4j.attestation.cose;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.SecretBytes;
import org.bouncycastle.math.ec.rfc8032.Ed25519;

/** A seed of RFC 8032. */
final class Ed25519PrivateKey extends CosePrivateKey {
  private Ed25519PrivateKey(SecretBytes seed, CosePublicKey publicKey) {
    super(seed, publicKey);
  }

  static Ed25519PrivateKey of(SecretBytes seed) {
    byte[] raw = new byte[Ed25519.PUBLIC_KEY_SIZE];
    seed.use(
        bytes -> {
          Ed25519.generatePublicKey(bytes, 0, raw, 0);
          return raw;
        });
    return new Ed25519PrivateKey(seed.copy(), new Ed25519PublicKey(ByteSlice.takeOver(raw)));
  }

  @Override
  public byte[] sign(byte[] message) {
    byte[] raw = publicKey().raw().toByteArray();
    byte[] signature = new byte[Ed25519.SIGNATURE_SIZE];
    return secret()
        .use(
            seed -> {
              Ed25519.sign(seed, 0, raw, 0, message, 0, message.length, signature, 0);
              return signature;
            });
  }
}
