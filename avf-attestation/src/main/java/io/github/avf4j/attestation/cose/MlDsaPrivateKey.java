package io.github.avf4j.attestation.cose;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.SecretBytes;
import org.bouncycastle.crypto.CryptoException;
import org.bouncycastle.crypto.params.MLDSAPrivateKeyParameters;
import org.bouncycastle.crypto.signers.MLDSASigner;

/** A seed of FIPS 204; signatures are deterministic and of the pure mode, with an empty context. */
final class MlDsaPrivateKey extends CosePrivateKey {
  private MlDsaPrivateKey(SecretBytes seed, CosePublicKey publicKey) {
    super(seed, publicKey);
  }

  static MlDsaPrivateKey of(CoseAlgorithm algorithm, SecretBytes seed) {
    MLDSAPrivateKeyParameters key = parameters(algorithm, seed);
    try {
      ByteSlice raw = ByteSlice.takeOver(key.getPublicKey());
      return new MlDsaPrivateKey(seed.copy(), new MlDsaPublicKey(algorithm, raw));
    } finally {
      key.destroy();
    }
  }

  @Override
  public byte[] sign(byte[] message) {
    MLDSAPrivateKeyParameters key = parameters(algorithm(), secret());
    try {
      MLDSASigner signer = new MLDSASigner();
      signer.init(true, key);
      signer.update(message, 0, message.length);
      return signer.generateSignature();
    } catch (CryptoException e) {
      throw new IllegalStateException("ML-DSA does not sign", e);
    } finally {
      key.destroy();
    }
  }

  private static MLDSAPrivateKeyParameters parameters(CoseAlgorithm algorithm, SecretBytes seed) {
    return seed.use(
        bytes -> new MLDSAPrivateKeyParameters(MlDsaPublicKey.parameters(algorithm), bytes));
  }
}
