package io.github.avf4j.attestation.cose;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.cbor.CborInteger;
import io.github.avf4j.attestation.cbor.CborMap;
import io.github.avf4j.attestation.cbor.CborValue;
import io.github.avf4j.attestation.cbor.CborWriter;
import java.util.Optional;

/** The map of a COSE_Key (RFC 9052, section 7; RFC 9053, section 7). */
final class CoseKeyCodec {
  private static final int KTY = 1;
  private static final int KID = 2;
  private static final int ALG = 3;
  private static final int KEY_OPS = 4;
  private static final int BASE_IV = 5;
  private static final int CRV = -1;
  private static final int X = -2;
  private static final int Y = -3;
  private static final int AKP_PUB = -1;
  private static final int VERIFY = 2;

  private CoseKeyCodec() {}

  static CosePublicKey parse(CborMap map, KeyOpsRule keyOpsRule) {
    CborInteger alg = map.require(ALG, "alg").asInteger();
    CoseAlgorithm algorithm =
        Optional.of(alg)
            .filter(CborInteger::isLong)
            .flatMap(id -> CoseAlgorithm.ofId(id.longValue()))
            .orElseThrow(
                () ->
                    new CoseException(
                        "key algorithm " + alg.bigValue() + " is not known", alg.position()));
    CborInteger kty = map.require(KTY, "kty").asInteger();
    if (!kty.is(algorithm.keyType())) {
      throw new CoseException(
          "key type must be "
              + algorithm.keyType()
              + " for "
              + algorithm.coseName()
              + " but is "
              + kty.bigValue(),
          kty.position());
    }
    refuseOtherLabels(map, algorithm);
    map.get(KEY_OPS).ifPresent(ops -> checkKeyOps(ops, keyOpsRule));
    return CosePublicKey.ofRaw(algorithm, raw(map, algorithm));
  }

  private static ByteSlice raw(CborMap map, CoseAlgorithm algorithm) {
    if (algorithm.isMlDsa()) {
      return map.require(AKP_PUB, "pub").asBytes();
    }
    CborInteger curve = map.require(CRV, "crv").asInteger();
    if (!curve.is(algorithm.curve())) {
      throw new CoseException(
          "curve must be "
              + algorithm.curve()
              + " for "
              + algorithm.coseName()
              + " but is "
              + curve.bigValue(),
          curve.position());
    }
    CborValue x = map.require(X, "x");
    if (algorithm == CoseAlgorithm.ED25519) {
      return x.asBytes(algorithm.publicKeySize());
    }
    int size = algorithm.publicKeySize() / 2;
    byte[] point = new byte[2 * size];
    x.asBytes(size).copyTo(point, 0);
    map.require(Y, "y").asBytes(size).copyTo(point, size);
    return ByteSlice.takeOver(point);
  }

  private static void refuseOtherLabels(CborMap map, CoseAlgorithm algorithm) {
    for (CborMap.Entry entry : map.entries()) {
      CborValue label = entry.key();
      if (!(label instanceof CborInteger integer)
          || !integer.isLong()
          || !isAllowed(integer.longValue(), algorithm)) {
        throw new CoseException("public key holds a label it must not hold", label.position());
      }
      if (integer.is(KID) || integer.is(BASE_IV)) {
        entry.value().asBytes();
      }
    }
  }

  private static boolean isAllowed(long label, CoseAlgorithm algorithm) {
    int least =
        switch (algorithm) {
          case ED25519 -> X;
          case ES256, ES384 -> Y;
          case ML_DSA_65, ML_DSA_87 -> AKP_PUB;
        };
    return label >= KTY && label <= BASE_IV || label < 0 && label >= least;
  }

  private static void checkKeyOps(CborValue ops, KeyOpsRule rule) {
    if (ops instanceof CborInteger single && rule == KeyOpsRule.INTEGER_OR_ARRAY) {
      if (!single.is(VERIFY)) {
        throw new CoseException("key_ops must be 2 (verify)", ops.position());
      }
      return;
    }
    boolean verify = false;
    for (CborValue op : ops.asArray().items()) {
      verify |= op instanceof CborInteger integer && integer.is(VERIFY);
    }
    if (!verify && ops.asArray().size() > 0) {
      throw new CoseException("key_ops must hold 2 (verify)", ops.position());
    }
  }

  static byte[] encode(CosePublicKey key, boolean keyOps) {
    CoseAlgorithm algorithm = key.algorithm();
    int labels = algorithm.isMlDsa() ? 3 : algorithm == CoseAlgorithm.ED25519 ? 4 : 5;
    CborWriter out = new CborWriter(key.raw().length() + 32);
    out.map(keyOps ? labels + 1 : labels);
    out.integer(KTY).integer(algorithm.keyType());
    out.integer(ALG).integer(algorithm.id());
    if (keyOps) {
      out.integer(KEY_OPS).array(1).integer(VERIFY);
    }
    if (algorithm.isMlDsa()) {
      return out.integer(AKP_PUB).bytes(key.raw()).toByteArray();
    }
    out.integer(CRV).integer(algorithm.curve());
    if (algorithm == CoseAlgorithm.ED25519) {
      return out.integer(X).bytes(key.raw()).toByteArray();
    }
    int size = algorithm.publicKeySize() / 2;
    out.integer(X).bytes(key.raw().slice(0, size));
    return out.integer(Y).bytes(key.raw().slice(size)).toByteArray();
  }
}
