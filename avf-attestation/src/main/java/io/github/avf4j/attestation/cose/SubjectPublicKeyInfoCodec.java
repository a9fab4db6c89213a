package io.github.avf4j.attestation.cose;

import io.github.avf4j.attestation.ByteSlice;
import java.io.IOException;
import java.util.Arrays;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.ASN1Primitive;
import org.bouncycastle.asn1.nist.NISTObjectIdentifiers;
import org.bouncycastle.asn1.sec.SECObjectIdentifiers;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.asn1.x9.X9ObjectIdentifiers;
import org.jspecify.annotations.Nullable;

/** The form that X.509 gives a public key (RFC 5280, RFC 5480, RFC 8410, RFC 9881). */
final class SubjectPublicKeyInfoCodec {
  private static final ASN1ObjectIdentifier ED25519 = new ASN1ObjectIdentifier("1.3.101.112");
  private static final int UNCOMPRESSED = 4;
  private static final int MAX_BYTES = 4096;

  private SubjectPublicKeyInfoCodec() {}

  static byte[] encode(CosePublicKey key) {
    byte[] raw = key.raw().toByteArray();
    byte[] bits = isEc(key.algorithm()) ? uncompressed(raw) : raw;
    try {
      return new SubjectPublicKeyInfo(identifier(key.algorithm()), bits)
          .getEncoded(ASN1Encoding.DER);
    } catch (IOException e) {
      throw new IllegalStateException("a public key does not encode", e);
    }
  }

  static CosePublicKey decode(ByteSlice der) {
    if (der.length() > MAX_BYTES) {
      throw fault("has more than " + MAX_BYTES + " bytes", der, null);
    }
    SubjectPublicKeyInfo info = parse(der);
    AlgorithmIdentifier identifier = info.getAlgorithm();
    if (info.getPublicKeyData().getPadBits() != 0) {
      throw fault("must hold a whole number of bytes", der, null);
    }
    byte[] bits = info.getPublicKeyData().getOctets();
    for (CoseAlgorithm algorithm : CoseAlgorithm.values()) {
      if (identifier(algorithm).equals(identifier)) {
        return CosePublicKey.ofRaw(
            algorithm, ByteSlice.takeOver(isEc(algorithm) ? coordinates(bits, der) : bits));
      }
    }
    throw fault("has an algorithm that is not known", der, null);
  }

  /** Bouncy Castle throws several unchecked exceptions for bytes that are no ASN.1. */
  private static SubjectPublicKeyInfo parse(ByteSlice der) {
    byte[] bytes = der.toByteArray();
    boolean strict;
    SubjectPublicKeyInfo info;
    try {
      info = SubjectPublicKeyInfo.getInstance(ASN1Primitive.fromByteArray(bytes));
      strict = info != null && Arrays.equals(info.getEncoded(ASN1Encoding.DER), bytes);
    } catch (IOException | RuntimeException e) {
      throw fault("is malformed", der, e);
    }
    if (!strict) {
      throw fault("is not in DER", der, null);
    }
    return info;
  }

  private static byte[] coordinates(byte[] point, ByteSlice der) {
    if (point.length == 0 || point[0] != UNCOMPRESSED) {
      throw fault("must hold an uncompressed point", der, null);
    }
    return Arrays.copyOfRange(point, 1, point.length);
  }

  private static byte[] uncompressed(byte[] raw) {
    byte[] point = new byte[1 + raw.length];
    point[0] = UNCOMPRESSED;
    System.arraycopy(raw, 0, point, 1, raw.length);
    return point;
  }

  private static boolean isEc(CoseAlgorithm algorithm) {
    return algorithm == CoseAlgorithm.ES256 || algorithm == CoseAlgorithm.ES384;
  }

  private static AlgorithmIdentifier identifier(CoseAlgorithm algorithm) {
    return switch (algorithm) {
      case ED25519 -> new AlgorithmIdentifier(ED25519);
      case ES256 -> ec(SECObjectIdentifiers.secp256r1);
      case ES384 -> ec(SECObjectIdentifiers.secp384r1);
      case ML_DSA_65 -> new AlgorithmIdentifier(NISTObjectIdentifiers.id_ml_dsa_65);
      case ML_DSA_87 -> new AlgorithmIdentifier(NISTObjectIdentifiers.id_ml_dsa_87);
    };
  }

  private static AlgorithmIdentifier ec(ASN1ObjectIdentifier curve) {
    return new AlgorithmIdentifier(X9ObjectIdentifiers.id_ecPublicKey, curve);
  }

  private static CoseException fault(String reason, ByteSlice der, @Nullable Exception cause) {
    return new CoseException("SubjectPublicKeyInfo " + reason, der.offset(), cause);
  }
}
