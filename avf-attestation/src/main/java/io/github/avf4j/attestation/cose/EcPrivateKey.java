package io.github.avf4j.attestation.cose;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.SecretBytes;
import java.math.BigInteger;
import org.bouncycastle.crypto.params.ECDomainParameters;
import org.bouncycastle.crypto.params.ECPrivateKeyParameters;
import org.bouncycastle.crypto.signers.ECDSASigner;
import org.bouncycastle.crypto.signers.HMacDSAKCalculator;
import org.bouncycastle.math.ec.ECPoint;
import org.bouncycastle.math.ec.FixedPointCombMultiplier;
import org.bouncycastle.util.BigIntegers;

/** A scalar of P-256 or P-384. */
final class EcPrivateKey extends CosePrivateKey {
  private EcPrivateKey(SecretBytes scalar, CosePublicKey publicKey) {
    super(scalar, publicKey);
  }

  static EcPrivateKey of(CoseAlgorithm algorithm, SecretBytes scalar) {
    ECDomainParameters domain = EcCurves.of(algorithm);
    BigInteger d = scalar.use(bytes -> new BigInteger(1, bytes));
    if (d.signum() == 0 || d.compareTo(domain.getN()) >= 0) {
      throw new CoseException(
          algorithm.coseName() + " secret must be from 1 to the group order - 1", -1);
    }
    ECPoint point = new FixedPointCombMultiplier().multiply(domain.getG(), d).normalize();
    int size = EcCurves.fieldSize(algorithm);
    byte[] raw = new byte[2 * size];
    BigIntegers.asUnsignedByteArray(point.getAffineXCoord().toBigInteger(), raw, 0, size);
    BigIntegers.asUnsignedByteArray(point.getAffineYCoord().toBigInteger(), raw, size, size);
    return new EcPrivateKey(scalar.copy(), new EcPublicKey(algorithm, ByteSlice.takeOver(raw)));
  }

  @Override
  public byte[] sign(byte[] message) {
    CoseAlgorithm algorithm = algorithm();
    ECDSASigner signer = new ECDSASigner(new HMacDSAKCalculator(EcCurves.digest(algorithm)));
    BigInteger d = secret().use(bytes -> new BigInteger(1, bytes));
    signer.init(true, new ECPrivateKeyParameters(d, EcCurves.of(algorithm)));
    BigInteger[] pair = signer.generateSignature(EcCurves.hash(algorithm, message));
    int size = EcCurves.fieldSize(algorithm);
    byte[] signature = new byte[2 * size];
    BigIntegers.asUnsignedByteArray(pair[0], signature, 0, size);
    BigIntegers.asUnsignedByteArray(pair[1], signature, size, size);
    return signature;
  }
}
