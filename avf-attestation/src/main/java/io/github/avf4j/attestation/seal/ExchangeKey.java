package io.github.avf4j.attestation.seal;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.SecretBytes;
import io.github.avf4j.attestation.cbor.CborMap;
import io.github.avf4j.attestation.cbor.CborReader;
import io.github.avf4j.attestation.cbor.CborWriter;
import java.math.BigInteger;
import java.security.SecureRandom;
import org.bouncycastle.crypto.agreement.ECDHBasicAgreement;
import org.bouncycastle.crypto.ec.CustomNamedCurves;
import org.bouncycastle.crypto.generators.ECKeyPairGenerator;
import org.bouncycastle.crypto.params.ECDomainParameters;
import org.bouncycastle.crypto.params.ECKeyGenerationParameters;
import org.bouncycastle.crypto.params.ECPrivateKeyParameters;
import org.bouncycastle.crypto.params.ECPublicKeyParameters;
import org.bouncycastle.math.ec.ECPoint;
import org.bouncycastle.math.ec.FixedPointCombMultiplier;
import org.bouncycastle.util.BigIntegers;

/** An ephemeral P-256 key of one exchange. Confined to one thread. */
final class ExchangeKey {
  private static final int SIZE = 32;
  private static final ECDomainParameters P256 =
      new ECDomainParameters(CustomNamedCurves.getByName("secp256r1"));

  private final ECPrivateKeyParameters privateKey;
  private final ByteSlice publicKey;

  private ExchangeKey(ECPrivateKeyParameters privateKey, ByteSlice publicKey) {
    this.privateKey = privateKey;
    this.publicKey = publicKey;
  }

  static ExchangeKey generate(AuthGraphDialect dialect) {
    ECKeyPairGenerator generator = new ECKeyPairGenerator();
    generator.init(new ECKeyGenerationParameters(P256, new SecureRandom()));
    return of((ECPrivateKeyParameters) generator.generateKeyPair().getPrivate(), dialect);
  }

  /** The key of a scalar that is in range: a test's, as no other is known before. */
  static ExchangeKey ofScalar(ByteSlice scalar, AuthGraphDialect dialect) {
    BigInteger d = new BigInteger(1, scalar.toByteArray());
    return of(new ECPrivateKeyParameters(d, P256), dialect);
  }

  private static ExchangeKey of(ECPrivateKeyParameters key, AuthGraphDialect dialect) {
    ECPoint point = new FixedPointCombMultiplier().multiply(P256.getG(), key.getD()).normalize();
    byte[] encoded =
        new CborWriter(96)
            .map(5)
            .integer(1)
            .integer(2)
            .integer(3)
            .integer(dialect.exchangeAlgorithm())
            .integer(-1)
            .integer(1)
            .integer(-2)
            .bytes(point.getAffineXCoord().getEncoded())
            .integer(-3)
            .bytes(point.getAffineYCoord().getEncoded())
            .toByteArray();
    return new ExchangeKey(key, ByteSlice.takeOver(encoded));
  }

  /** The public half, an encoded COSE_Key. */
  ByteSlice publicKey() {
    return publicKey;
  }

  /** The x coordinate that this key and another side's public key agree on. */
  SecretBytes agree(ByteSlice peer, AuthGraphDialect dialect) {
    ECDHBasicAgreement agreement = new ECDHBasicAgreement();
    agreement.init(privateKey);
    BigInteger x = agreement.calculateAgreement(parse(peer, dialect));
    return SecretBytes.takeOver(BigIntegers.asUnsignedByteArray(SIZE, x));
  }

  private static ECPublicKeyParameters parse(ByteSlice coseKey, AuthGraphDialect dialect) {
    CborMap map = CborReader.decode(coseKey).asMap();
    if (map.size() != 5
        || !map.require(1, "kty").asInteger().is(2)
        || !map.require(-1, "crv").asInteger().is(1)
        || !dialect.acceptsExchangeAlgorithm(map.require(3, "alg").asLong())) {
      throw new SealException(
          "exchange key must be a public key of P-256 for key agreement", coseKey.offset());
    }
    BigInteger x = new BigInteger(1, map.require(-2, "x").asBytes(SIZE).toByteArray());
    BigInteger y = new BigInteger(1, map.require(-3, "y").asBytes(SIZE).toByteArray());
    try {
      return new ECPublicKeyParameters(P256.getCurve().validatePoint(x, y), P256);
    } catch (IllegalArgumentException e) {
      throw new SealException("exchange key is not a point of P-256", coseKey.offset(), e);
    }
  }
}
