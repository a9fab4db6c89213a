package io.github.avf4j.attestation.cose;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.cbor.CborReader;
import io.github.avf4j.attestation.cbor.CborValue;

/**
 * A public key that verifies signatures of one algorithm.
 *
 * <p>Two keys are equal when algorithm and raw bytes are. A key that exists is a point of its curve
 * or a well-formed key of FIPS 204. Immutable and thread-safe.
 */
public abstract sealed class CosePublicKey permits Ed25519PublicKey, EcPublicKey, MlDsaPublicKey {
  private final CoseAlgorithm algorithm;
  private final ByteSlice raw;

  CosePublicKey(CoseAlgorithm algorithm, ByteSlice raw) {
    this.algorithm = algorithm;
    this.raw = raw;
  }

  /**
   * Makes a key of its raw bytes: x for Ed25519, x and y for ECDSA, the encoding of FIPS 204.
   *
   * @throws CoseException if the length is wrong or the bytes are no key
   */
  public static CosePublicKey ofRaw(CoseAlgorithm algorithm, ByteSlice raw) {
    if (raw.length() != algorithm.publicKeySize()) {
      throw new CoseException(
          algorithm.coseName()
              + " public key must have "
              + algorithm.publicKeySize()
              + " bytes but has "
              + raw.length(),
          raw.offset());
    }
    return switch (algorithm) {
      case ED25519 -> new Ed25519PublicKey(raw);
      case ES256, ES384 -> new EcPublicKey(algorithm, raw);
      case ML_DSA_65, ML_DSA_87 -> new MlDsaPublicKey(algorithm, raw);
    };
  }

  /** Decodes bytes that are exactly one COSE_Key whose {@code key_ops} is an array. */
  public static CosePublicKey decode(ByteSlice coseKey) {
    return parse(CborReader.decode(coseKey), KeyOpsRule.ARRAY);
  }

  /**
   * Parses a COSE_Key.
   *
   * @throws CoseException if it is not a signature key of a known algorithm, or holds anything more
   *     than a public key
   * @throws io.github.avf4j.attestation.cbor.CborException if an entry has the wrong type
   */
  public static CosePublicKey parse(CborValue coseKey, KeyOpsRule keyOpsRule) {
    return CoseKeyCodec.parse(coseKey.asMap(), keyOpsRule);
  }

  /**
   * Decodes a SubjectPublicKeyInfo of X.509, in strict DER, at most 4096 bytes.
   *
   * @throws CoseException if it is not a key of one of the algorithms here
   */
  public static CosePublicKey ofSubjectPublicKeyInfo(ByteSlice der) {
    return SubjectPublicKeyInfoCodec.decode(der);
  }

  /** The SubjectPublicKeyInfo of X.509, in DER. */
  public final byte[] toSubjectPublicKeyInfo() {
    return SubjectPublicKeyInfoCodec.encode(this);
  }

  /** The algorithm. */
  public final CoseAlgorithm algorithm() {
    return algorithm;
  }

  /** The raw bytes, of which ids are derived. */
  public final ByteSlice raw() {
    return raw;
  }

  /** The COSE_Key as DICE writes it: kty, alg, key_ops [2], then the key, in this order. */
  public final byte[] encode() {
    return CoseKeyCodec.encode(this, true);
  }

  /** The COSE_Key without {@code key_ops}, as attestation requests hold it. */
  public final byte[] encodeWithoutKeyOps() {
    return CoseKeyCodec.encode(this, false);
  }

  /**
   * Whether the signature is that of this key over the message. A signature of a wrong length is
   * not. The time taken depends on public values alone.
   */
  public abstract boolean verify(byte[] message, byte[] signature);

  @Override
  public final boolean equals(Object other) {
    return other instanceof CosePublicKey that
        && algorithm == that.algorithm
        && raw.equals(that.raw);
  }

  @Override
  public final int hashCode() {
    return raw.hashCode();
  }

  /** The algorithm and the raw bytes, shortened. */
  @Override
  public final String toString() {
    return algorithm.coseName() + " " + raw;
  }
}
