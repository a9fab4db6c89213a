package io.github.avf4j.attestation.cose;

import io.github.avf4j.attestation.ByteSlice;
import org.bouncycastle.crypto.params.MLDSAParameters;
import org.bouncycastle.crypto.params.MLDSAPublicKeyParameters;
import org.bouncycastle.crypto.signers.MLDSASigner;

/** A key of FIPS 204, pure mode with an empty context. */
final class MlDsaPublicKey extends CosePublicKey {
  private final MLDSAPublicKeyParameters key;

  MlDsaPublicKey(CoseAlgorithm algorithm, ByteSlice raw) {
    super(algorithm, raw);
    this.key = new MLDSAPublicKeyParameters(parameters(algorithm), raw.toByteArray());
  }

  static MLDSAParameters parameters(CoseAlgorithm algorithm) {
    return algorithm == CoseAlgorithm.ML_DSA_65
        ? MLDSAParameters.ml_dsa_65
        : MLDSAParameters.ml_dsa_87;
  }

  @Override
  public boolean verify(byte[] message, byte[] signature) {
    if (signature.length != algorithm().signatureSize()) {
      return false;
    }
    MLDSASigner verifier = new MLDSASigner();
    verifier.init(false, key);
    verifier.update(message, 0, message.length);
    return verifier.verifySignature(signature);
  }
}
