package io.github.avf4j.attestation.cose;

import io.github.avf4j.attestation.ByteSlice;
import java.math.BigInteger;
import java.util.Arrays;
import org.bouncycastle.crypto.params.ECDomainParameters;
import org.bouncycastle.crypto.params.ECPublicKeyParameters;
import org.bouncycastle.crypto.signers.ECDSASigner;

/** A point of P-256 or P-384. */
final class EcPublicKey extends CosePublicKey {
  private final ECPublicKeyParameters key;

  EcPublicKey(CoseAlgorithm algorithm, ByteSlice raw) {
    super(algorithm, raw);
    ECDomainParameters domain = EcCurves.of(algorithm);
    int size = EcCurves.fieldSize(algorithm);
    try {
      this.key =
          new ECPublicKeyParameters(
              domain
                  .getCurve()
                  .validatePoint(
                      new BigInteger(1, raw.slice(0, size).toByteArray()),
                      new BigInteger(1, raw.slice(size).toByteArray())),
              domain);
    } catch (IllegalArgumentException e) {
      throw new CoseException(
          algorithm.coseName() + " public key is not a point of the curve", raw.offset(), e);
    }
  }

  @Override
  public boolean verify(byte[] message, byte[] signature) {
    if (signature.length != algorithm().signatureSize()) {
      return false;
    }
    int size = signature.length / 2;
    ECDSASigner verifier = new ECDSASigner();
    verifier.init(false, key);
    return verifier.verifySignature(
        EcCurves.hash(algorithm(), message),
        new BigInteger(1, Arrays.copyOf(signature, size)),
        new BigInteger(1, Arrays.copyOfRange(signature, size, signature.length)));
  }
}
