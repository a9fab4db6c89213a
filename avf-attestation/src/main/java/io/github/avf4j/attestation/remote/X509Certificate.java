package io.github.avf4j.attestation.remote;

import io.github.avf4j.attestation.ByteSlice;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * An X.509 certificate of version 3, taken apart in strict DER (RFC 5280).
 *
 * <p>Nothing is verified here; {@link X509Path} does. At most 64 KiB. Immutable and thread-safe.
 */
public final class X509Certificate {
  /** The longest certificate that is read, in bytes. */
  public static final int MAX_BYTES = 1 << 16;

  private static final String COMMON_NAME = "2.5.4.3";
  private static final String BASIC_CONSTRAINTS = "2.5.29.19";
  private static final String KEY_USAGE = "2.5.29.15";
  private static final int KEY_CERT_SIGN = 0x04;

  private final ByteSlice encoded;
  private final ByteSlice signedPart;
  private final BigInteger serialNumber;
  private final ByteSlice signatureAlgorithm;
  private final ByteSlice issuer;
  private final Instant notBefore;
  private final Instant notAfter;
  private final ByteSlice validity;
  private final ByteSlice subject;
  private final ByteSlice publicKey;
  private final ByteSlice signature;
  private final Map<String, Extension> extensions = new LinkedHashMap<>();

  /**
   * An extension.
   *
   * @param critical whether a reader that does not know it must refuse the certificate
   * @param value its content
   */
  public record Extension(boolean critical, ByteSlice value) {}

  private X509Certificate(ByteSlice der) {
    this.encoded = der;
    DerReader outer = DerReader.only(der, DerReader.SEQUENCE, "certificate").open();
    DerReader.Element tbs = outer.next(DerReader.SEQUENCE, "signed part of the certificate");
    this.signedPart = tbs.encoded();
    DerReader.Element algorithm = outer.next(DerReader.SEQUENCE, "signature algorithm");
    this.signature = outer.octetsOfBits("signature");
    outer.end("the certificate");

    DerReader in = tbs.open();
    DerReader version = in.next(0xa0, "version").open();
    if (!version.integer("version").equals(BigInteger.TWO)) {
      throw fault("certificate must be of version 3");
    }
    version.end("the version");
    this.serialNumber = in.integer("serial number");
    if (serialNumber.signum() <= 0 || serialNumber.bitLength() > 167) {
      throw fault("serial number must be positive and of at most 20 bytes");
    }
    DerReader.Element inner = in.next(DerReader.SEQUENCE, "signature algorithm");
    if (!inner.encoded().equals(algorithm.encoded())) {
      throw fault("the two signature algorithms must be the same");
    }
    this.signatureAlgorithm = inner.encoded();
    this.issuer = in.next(DerReader.SEQUENCE, "issuer").encoded();
    DerReader.Element times = in.next(DerReader.SEQUENCE, "validity");
    this.validity = times.encoded();
    DerReader range = times.open();
    this.notBefore = X509Time.read(range);
    this.notAfter = X509Time.read(range);
    range.end("the validity");
    this.subject = in.next(DerReader.SEQUENCE, "subject").encoded();
    this.publicKey = in.next(DerReader.SEQUENCE, "public key").encoded();
    if (in.nextIs(0xa3)) {
      DerReader wrapper = in.next().open();
      readExtensions(wrapper.next(DerReader.SEQUENCE, "extensions").open());
      wrapper.end("the extensions");
    }
    in.end("the signed part of the certificate");
  }

  private void readExtensions(DerReader in) {
    do {
      DerReader one = in.next(DerReader.SEQUENCE, "extension").open();
      String oid = one.oid("object identifier of the extension");
      boolean critical = one.nextIs(DerReader.BOOLEAN) && one.bool("criticality");
      ByteSlice value = one.next(DerReader.OCTET_STRING, "value of the extension").content();
      one.end("the extension");
      if (extensions.put(oid, new Extension(critical, value)) != null) {
        throw fault("extension " + oid + " occurs twice");
      }
    } while (!in.atEnd());
  }

  /**
   * Takes a certificate apart.
   *
   * @throws RemoteAttestationException if it is not an X.509 certificate of version 3 in DER
   */
  public static X509Certificate decode(ByteSlice der) {
    if (der.length() > MAX_BYTES) {
      throw new RemoteAttestationException(
          "certificate must have at most " + MAX_BYTES + " bytes", der.offset());
    }
    X509Certificate certificate = new X509Certificate(der);
    certificate.commonName();
    certificate.isAuthority();
    certificate.pathLength();
    certificate.mayCertify();
    return certificate;
  }

  /** The exact bytes. */
  public ByteSlice encoded() {
    return encoded;
  }

  /** The part that is signed. */
  ByteSlice signedPart() {
    return signedPart;
  }

  /** The algorithm of the signature: an AlgorithmIdentifier. */
  ByteSlice signatureAlgorithm() {
    return signatureAlgorithm;
  }

  ByteSlice signature() {
    return signature;
  }

  /** The validity as encoded. */
  ByteSlice validity() {
    return validity;
  }

  /** The serial number, which is positive. */
  public BigInteger serialNumber() {
    return serialNumber;
  }

  /** The issuer's name as encoded. Names are the same when their bytes are. */
  public ByteSlice issuer() {
    return issuer;
  }

  /** The subject's name as encoded. */
  public ByteSlice subject() {
    return subject;
  }

  /** The subject's public key: a SubjectPublicKeyInfo. */
  public ByteSlice publicKey() {
    return publicKey;
  }

  /** When it begins to be valid. */
  public Instant notBefore() {
    return notBefore;
  }

  /** The last second in which it is valid. */
  public Instant notAfter() {
    return notAfter;
  }

  /** The extensions by object identifier, in their order. */
  public Map<String, Extension> extensions() {
    return Collections.unmodifiableMap(extensions);
  }

  /** The extension of an object identifier. */
  public Optional<Extension> extension(String oid) {
    return Optional.ofNullable(extensions.get(oid));
  }

  /** Whether issuer and subject are the same. */
  public boolean isSelfIssued() {
    return issuer.equals(subject);
  }

  /** The common name of the subject, where it has exactly one. */
  public Optional<String> commonName() {
    Optional<String> found = Optional.empty();
    DerReader sets = DerReader.only(subject, DerReader.SEQUENCE, "subject").open();
    while (!sets.atEnd()) {
      DerReader set = sets.next(DerReader.SET, "part of the subject").open();
      while (!set.atEnd()) {
        DerReader attribute = set.next(DerReader.SEQUENCE, "attribute of the subject").open();
        if (attribute.oid("type of attribute").equals(COMMON_NAME)) {
          if (found.isPresent()) {
            return Optional.empty();
          }
          DerReader.Element value = attribute.next();
          boolean text =
              value.tag() == DerReader.UTF8_STRING || value.tag() == DerReader.PRINTABLE_STRING;
          found =
              text
                  ? Optional.of(new String(value.content().toByteArray(), StandardCharsets.UTF_8))
                  : Optional.empty();
        } else {
          attribute.next();
        }
      }
    }
    return found;
  }

  /** Whether basic constraints say that this may issue certificates. */
  public boolean isAuthority() {
    return basicConstraints()
        .map(reader -> reader.nextIs(DerReader.BOOLEAN) && reader.bool("cA"))
        .orElse(false);
  }

  /** How many issuers may stand below this one; a great number where nothing is said. */
  int pathLength() {
    return basicConstraints()
        .map(
            reader -> {
              if (reader.nextIs(DerReader.BOOLEAN)) {
                reader.bool("cA");
              }
              return reader.atEnd()
                  ? Integer.MAX_VALUE
                  : reader
                      .integer("path length")
                      .min(BigInteger.valueOf(Integer.MAX_VALUE))
                      .intValue();
            })
        .orElse(Integer.MAX_VALUE);
  }

  private Optional<DerReader> basicConstraints() {
    return extension(BASIC_CONSTRAINTS)
        .map(found -> DerReader.only(found.value(), DerReader.SEQUENCE, "constraints").open());
  }

  /** Whether the key usage, where there is one, lets the key sign certificates. */
  public boolean mayCertify() {
    return extension(KEY_USAGE)
        .map(
            found -> {
              ByteSlice bits =
                  DerReader.only(found.value(), DerReader.BIT_STRING, "key usage").content();
              return bits.length() > 1 && (bits.at(1) & KEY_CERT_SIGN) != 0;
            })
        .orElse(true);
  }

  /** A critical extension that is none of those that are understood here. */
  Optional<String> unknownCriticalExtension() {
    return extensions.entrySet().stream()
        .filter(entry -> entry.getValue().critical())
        .map(Map.Entry::getKey)
        .filter(oid -> !oid.equals(BASIC_CONSTRAINTS) && !oid.equals(KEY_USAGE))
        .filter(oid -> !oid.equals(AttestationExtension.OID))
        .findFirst();
  }

  private RemoteAttestationException fault(String reason) {
    return new RemoteAttestationException(reason, encoded.offset());
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof X509Certificate that && encoded.equals(that.encoded);
  }

  @Override
  public int hashCode() {
    return encoded.hashCode();
  }

  /** The serial number and the common name. */
  @Override
  public String toString() {
    return "X509Certificate["
        + serialNumber.toString(16)
        + commonName().map(name -> ", " + name).orElse("")
        + "]";
  }
}
