package io.github.avf4j.attestation.remote;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.cose.CosePrivateKey;
import io.github.avf4j.attestation.cose.CosePublicKey;
import io.github.avf4j.attestation.internal.Digests;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;

/**
 * The root of a deployment of one's own: certifies the keys of service VMs, which then certify
 * those of machines.
 *
 * <p>Whoever runs it verifies the request of the service VM first ({@link ProvisioningRequest}).
 * The key is of P-256 and stays with the caller, who closes it. Immutable and thread-safe.
 */
public final class ProvisioningAuthority {
  private static final String BASIC_CONSTRAINTS = "2.5.29.19";
  private static final String KEY_USAGE = "2.5.29.15";
  private static final String SUBJECT_KEY_ID = "2.5.29.14";
  private static final String AUTHORITY_KEY_ID = "2.5.29.35";
  private static final byte[] KEY_CERT_SIGN = {2, 4};
  private static final int KEY_ID_SIZE = 20;

  private final CosePrivateKey key;
  private final X509Certificate certificate;

  private ProvisioningAuthority(CosePrivateKey key, X509Certificate certificate) {
    this.key = key;
    this.certificate = certificate;
  }

  /**
   * Makes a root with a certificate that it signs itself.
   *
   * @param name its common name
   * @param validity how long from now, counted in whole seconds
   */
  public static ProvisioningAuthority create(
      String name, CosePrivateKey key, Instant now, Duration validity) {
    byte[] subject = CertificateIssuer.commonName(name);
    ByteSlice encoded =
        CertificateIssuer.sign(
            key,
            subject,
            X509Time.validity(now, now.plus(validity)),
            subject,
            key.publicKey(),
            extensions(key.publicKey(), key.publicKey()));
    return new ProvisioningAuthority(key, X509Certificate.decode(encoded));
  }

  /**
   * Continues a root with its key and certificate.
   *
   * @throws RemoteAttestationException if the certificate is malformed or of another key
   */
  public static ProvisioningAuthority of(CosePrivateKey key, ByteSlice certificate) {
    X509Certificate decoded = X509Certificate.decode(certificate);
    if (!decoded.publicKey().contentEquals(key.publicKey().toSubjectPublicKeyInfo())) {
      throw new RemoteAttestationException("root certificate is not of this key", -1);
    }
    return new ProvisioningAuthority(key, decoded);
  }

  /** The root certificate, in DER, for the policies of relying parties. */
  public ByteSlice certificate() {
    return certificate.encoded();
  }

  /**
   * Certifies the key of a service VM, so that it may certify those of machines.
   *
   * @param name the common name of the subject, which tells service VMs apart
   * @return the certificate, in DER
   */
  public ByteSlice certify(
      CosePublicKey serviceVmKey, String name, Instant now, Duration validity) {
    return CertificateIssuer.sign(
        key,
        certificate.subject().toByteArray(),
        X509Time.validity(now, now.plus(validity)),
        CertificateIssuer.commonName(name),
        serviceVmKey,
        extensions(serviceVmKey, key.publicKey()));
  }

  private static byte[][] extensions(CosePublicKey subject, CosePublicKey issuer) {
    return new byte[][] {
      CertificateIssuer.extension(SUBJECT_KEY_ID, false, Der.octets(keyId(subject))),
      CertificateIssuer.extension(
          AUTHORITY_KEY_ID, false, Der.sequence(Der.element(0x80, keyId(issuer)))),
      CertificateIssuer.extension(BASIC_CONSTRAINTS, true, Der.sequence(Der.bool(true))),
      CertificateIssuer.extension(KEY_USAGE, true, Der.element(DerReader.BIT_STRING, KEY_CERT_SIGN))
    };
  }

  /** RFC 7093, section 2, method 1. */
  static byte[] keyId(CosePublicKey publicKey) {
    byte[] point = EcDer.concat(new byte[] {4}, publicKey.raw().toByteArray());
    return Arrays.copyOf(Digests.sha256().digest(point), KEY_ID_SIZE);
  }
}
