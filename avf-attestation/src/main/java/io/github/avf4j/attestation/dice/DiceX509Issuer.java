package io.github.avf4j.attestation.dice;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.cose.CoseAlgorithm;
import io.github.avf4j.attestation.cose.CosePrivateKey;
import io.github.avf4j.attestation.cose.CosePublicKey;
import java.io.IOException;
import java.math.BigInteger;
import java.util.Arrays;
import org.bouncycastle.asn1.ASN1Boolean;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.ASN1EncodableVector;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.ASN1Enumerated;
import org.bouncycastle.asn1.ASN1Integer;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.ASN1Primitive;
import org.bouncycastle.asn1.DERBitString;
import org.bouncycastle.asn1.DERGeneralizedTime;
import org.bouncycastle.asn1.DEROctetString;
import org.bouncycastle.asn1.DERPrintableString;
import org.bouncycastle.asn1.DERSequence;
import org.bouncycastle.asn1.DERSet;
import org.bouncycastle.asn1.DERTaggedObject;
import org.bouncycastle.asn1.DERUTCTime;
import org.bouncycastle.asn1.DERUTF8String;
import org.jspecify.annotations.Nullable;

/**
 * Writes certificates in X.509 for layers, byte for byte as open-dice does (Open Profile for DICE,
 * X.509 certificates). AVF does not use them: its chains hold those of {@link
 * DiceCertificateIssuer}.
 *
 * @param algorithm the algorithm of the keys of the layers: Ed25519 or ECDSA
 * @param profileName the name that certificates carry, or null for none
 */
public record DiceX509Issuer(CoseAlgorithm algorithm, @Nullable String profileName) {
  /** The object identifier of the extension with the inputs of the layer. */
  public static final String EXTENSION_OID = "1.3.6.1.4.1.11129.2.1.24";

  private static final String NAME_SERIAL_NUMBER = "2.5.4.5";
  private static final String SUBJECT_KEY_ID = "2.5.29.14";
  private static final String KEY_USAGE = "2.5.29.15";
  private static final String BASIC_CONSTRAINTS = "2.5.29.19";
  private static final String AUTHORITY_KEY_ID = "2.5.29.35";
  private static final int KEY_CERT_SIGN = 0x04;
  private static final int KEY_CERT_SIGN_PAD_BITS = 2;

  /** Layers have no clock, so certificates are valid for all time that X.509 can write. */
  private static final ASN1Encodable VALIDITY =
      sequence(new DERUTCTime("180322235959Z"), new DERGeneralizedTime("99991231235959Z"));

  /** Checks the algorithm. */
  public DiceX509Issuer {
    if (algorithm.isMlDsa()) {
      throw new IllegalArgumentException(
          "certificates in X.509 need Ed25519 or ECDSA but the algorithm is "
              + algorithm.coseName());
    }
  }

  /**
   * Makes the certificate of the next layer, in DER.
   *
   * @param current the key of the layer that derives, which signs
   * @param next the key of the layer that is derived
   * @param input what the layer that is derived is made of
   */
  public byte[] issue(CosePrivateKey current, CosePublicKey next, DiceInput input) {
    if (current.algorithm() != algorithm || next.algorithm() != algorithm) {
      throw new IllegalArgumentException(
          "keys must be of "
              + algorithm.coseName()
              + " but are of "
              + current.algorithm().coseName()
              + " and "
              + next.algorithm().coseName());
    }
    ASN1Encodable signatureAlgorithm = sequence(oid(signatureOid()));
    ASN1Encodable signedPart =
        sequence(
            new DERTaggedObject(true, 0, new ASN1Integer(2)),
            new ASN1Integer(new BigInteger(1, DiceKeys.id(next))),
            signatureAlgorithm,
            name(current.publicKey()),
            VALIDITY,
            name(next),
            decoded(next.toSubjectPublicKeyInfo()),
            new DERTaggedObject(true, 3, extensions(current.publicKey(), next, input)));
    byte[] signature = signature(current.sign(encoded(signedPart)));
    return encoded(sequence(signedPart, signatureAlgorithm, new DERBitString(signature)));
  }

  private String signatureOid() {
    return switch (algorithm) {
      case ED25519 -> "1.3.101.112";
      case ES256 -> "1.2.840.10045.4.3.2";
      case ES384 -> "1.2.840.10045.4.3.3";
      case ML_DSA_65, ML_DSA_87 -> throw new IllegalStateException("ML-DSA was let in");
    };
  }

  private byte[] signature(byte[] raw) {
    if (algorithm == CoseAlgorithm.ED25519) {
      return raw;
    }
    int half = raw.length / 2;
    return encoded(
        sequence(
            new ASN1Integer(new BigInteger(1, Arrays.copyOf(raw, half))),
            new ASN1Integer(new BigInteger(1, Arrays.copyOfRange(raw, half, raw.length)))));
  }

  private ASN1Encodable extensions(CosePublicKey current, CosePublicKey next, DiceInput input) {
    ASN1Encodable issuerId = new DEROctetString(DiceKeys.id(current));
    return sequence(
        extension(AUTHORITY_KEY_ID, false, sequence(new DERTaggedObject(false, 0, issuerId))),
        extension(SUBJECT_KEY_ID, false, new DEROctetString(DiceKeys.id(next))),
        extension(
            KEY_USAGE, true, new DERBitString(new byte[] {KEY_CERT_SIGN}, KEY_CERT_SIGN_PAD_BITS)),
        extension(BASIC_CONSTRAINTS, true, sequence(ASN1Boolean.TRUE)),
        extension(EXTENSION_OID, true, inputs(input)));
  }

  private ASN1Encodable inputs(DiceInput input) {
    ASN1EncodableVector fields = new ASN1EncodableVector();
    fields.add(octets(0, input.codeHash()));
    input.codeDescriptor().ifPresent(bytes -> fields.add(octets(1, bytes)));
    if (input.config() instanceof DiceConfig.Descriptor config) {
      fields.add(octets(2, config.input()));
      fields.add(octets(3, config.value()));
    } else {
      fields.add(octets(3, input.config().input()));
    }
    fields.add(octets(4, input.authorityHash()));
    input.authorityDescriptor().ifPresent(bytes -> fields.add(octets(5, bytes)));
    fields.add(new DERTaggedObject(true, 6, new ASN1Enumerated(input.mode().value())));
    if (profileName != null) {
      fields.add(new DERTaggedObject(true, 7, new DERUTF8String(profileName)));
    }
    return new DERSequence(fields);
  }

  private static ASN1Encodable octets(int tag, ByteSlice bytes) {
    return new DERTaggedObject(true, tag, new DEROctetString(bytes.toByteArray()));
  }

  private static ASN1Encodable extension(String oid, boolean critical, ASN1Encodable value) {
    ASN1Encodable octets = new DEROctetString(encoded(value));
    return critical ? sequence(oid(oid), ASN1Boolean.TRUE, octets) : sequence(oid(oid), octets);
  }

  private static ASN1Encodable name(CosePublicKey key) {
    ASN1Encodable id = new DERPrintableString(DiceKeys.idText(key));
    return sequence(new DERSet(sequence(oid(NAME_SERIAL_NUMBER), id)));
  }

  private static ASN1ObjectIdentifier oid(String dotted) {
    return new ASN1ObjectIdentifier(dotted);
  }

  private static ASN1Encodable sequence(ASN1Encodable... items) {
    return new DERSequence(items);
  }

  private static ASN1Encodable decoded(byte[] der) {
    try {
      return ASN1Primitive.fromByteArray(der);
    } catch (IOException e) {
      throw new IllegalStateException("a public key does not decode", e);
    }
  }

  private static byte[] encoded(ASN1Encodable value) {
    try {
      return value.toASN1Primitive().getEncoded(ASN1Encoding.DER);
    } catch (IOException e) {
      throw new IllegalStateException("a certificate does not encode", e);
    }
  }
}
