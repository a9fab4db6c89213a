package io.github.avf4j.payload;

import java.io.ByteArrayInputStream;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.SignatureException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;

/**
 * A key of P-256 that was made for this payload and one challenge, and certificates that say so.
 *
 * <p>Immutable and thread-safe.
 */
public final class Attestation {
  private static final int MAX_CERTIFICATES = 64;

  /** In front of an ECPrivateKey: version 0, and that the key is one of P-256 (RFC 5958, 5480). */
  private static final byte[] ALGORITHM =
      HexFormat.of().parseHex("020100301306072a8648ce3d020106082a8648ce3d030107");

  private static final int SEQUENCE = 0x30;
  private static final int OCTET_STRING = 0x04;

  private final PrivateKey key;
  private final List<X509Certificate> certificates;

  private Attestation(PrivateKey key, List<X509Certificate> certificates) {
    this.key = key;
    this.certificates = List.copyOf(certificates);
  }

  /** Reads the fields of an answer and overwrites the key in them. */
  static Attestation parse(ByteBuffer fields) {
    byte[] privateKey = sized(fields);
    try {
      int count = fields.remaining() < 4 ? -1 : fields.getInt();
      if (count < 1 || count > MAX_CERTIFICATES) {
        throw ServiceClient.protocol(
            "%d certificates, not 1 to %d".formatted(count, MAX_CERTIFICATES));
      }
      CertificateFactory factory = CertificateFactory.getInstance("X.509");
      List<X509Certificate> certificates = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        certificates.add(
            (X509Certificate) factory.generateCertificate(new ByteArrayInputStream(sized(fields))));
      }
      if (fields.hasRemaining()) {
        throw ServiceClient.protocol("bytes after the last certificate");
      }
      return new Attestation(key(privateKey), certificates);
    } catch (CertificateException e) {
      throw ServiceClient.protocol("a certificate that is none (" + e.getMessage() + ")");
    } catch (GeneralSecurityException e) {
      throw ServiceClient.protocol(
          "a key that this Java runtime cannot use (" + e.getMessage() + ")");
    } finally {
      Arrays.fill(privateKey, (byte) 0);
      Arrays.fill(fields.array(), (byte) 0);
    }
  }

  private static byte[] sized(ByteBuffer fields) {
    int length = fields.remaining() < 4 ? -1 : fields.getInt();
    if (length < 0 || length > fields.remaining()) {
      throw ServiceClient.protocol("an attestation that ends inside a field");
    }
    byte[] bytes = new byte[length];
    fields.get(bytes);
    return bytes;
  }

  /** Puts the key into PKCS #8, the only form that the JDK reads. */
  private static PrivateKey key(byte[] ecPrivateKey) throws GeneralSecurityException {
    byte[] octets = tagged(OCTET_STRING, new byte[0], ecPrivateKey);
    byte[] pkcs8 = tagged(SEQUENCE, ALGORITHM, octets);
    try {
      return KeyFactory.getInstance("EC").generatePrivate(new PKCS8EncodedKeySpec(pkcs8));
    } finally {
      Arrays.fill(octets, (byte) 0);
      Arrays.fill(pkcs8, (byte) 0);
    }
  }

  /** DER of a value of two parts, with the shortest length, of at most 65535 bytes. */
  private static byte[] tagged(int tag, byte[] first, byte[] second) {
    int length = first.length + second.length;
    ByteBuffer der = ByteBuffer.allocate(4 + length).put((byte) tag);
    if (length > 0xff) {
      der.put((byte) 0x82).put((byte) (length >> 8));
    } else if (length > 0x7f) {
      der.put((byte) 0x81);
    }
    der.put((byte) length).put(first).put(second);
    byte[] exact = Arrays.copyOf(der.array(), der.position());
    Arrays.fill(der.array(), (byte) 0);
    return exact;
  }

  /** Returns the certificates, that of the key first, each certified by the next. */
  public List<X509Certificate> certificates() {
    return certificates;
  }

  /**
   * Signs a message: ECDSA with SHA-256 in DER, other bytes each time.
   *
   * @throws IllegalStateException if this Java runtime cannot
   */
  public byte[] sign(byte[] message) {
    try {
      Signature signature = Signature.getInstance("SHA256withECDSA");
      signature.initSign(key);
      signature.update(message);
      return signature.sign();
    } catch (SignatureException e) {
      throw new IllegalStateException("the key does not sign", e);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("this Java runtime has no ECDSA with P-256", e);
    }
  }
}
