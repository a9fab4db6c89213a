package io.github.avf4j.attestation.cose;

import org.bouncycastle.asn1.x9.X9ECParameters;
import org.bouncycastle.crypto.Digest;
import org.bouncycastle.crypto.digests.SHA256Digest;
import org.bouncycastle.crypto.digests.SHA384Digest;
import org.bouncycastle.crypto.ec.CustomNamedCurves;
import org.bouncycastle.crypto.params.ECDomainParameters;

/** The curves of ES256 and ES384, and the hashes that go with them. */
final class EcCurves {
  private static final ECDomainParameters P256 = domain("secp256r1");
  private static final ECDomainParameters P384 = domain("secp384r1");

  private EcCurves() {}

  static ECDomainParameters of(CoseAlgorithm algorithm) {
    return switch (algorithm) {
      case ES256 -> P256;
      case ES384 -> P384;
      default -> throw new IllegalArgumentException(algorithm + " has no such curve");
    };
  }

  static Digest digest(CoseAlgorithm algorithm) {
    return algorithm == CoseAlgorithm.ES256 ? new SHA256Digest() : new SHA384Digest();
  }

  static byte[] hash(CoseAlgorithm algorithm, byte[] message) {
    Digest digest = digest(algorithm);
    digest.update(message, 0, message.length);
    byte[] hash = new byte[digest.getDigestSize()];
    digest.doFinal(hash, 0);
    return hash;
  }

  /** The length of a coordinate and of a scalar, in bytes. */
  static int fieldSize(CoseAlgorithm algorithm) {
    return algorithm.publicKeySize() / 2;
  }

  private static ECDomainParameters domain(String name) {
    X9ECParameters parameters = CustomNamedCurves.getByName(name);
    return new ECDomainParameters(
        parameters.getCurve(),
        parameters.getG(),
        parameters.getN(),
        parameters.getH(),
        parameters.getSeed());
  }
}
