package io.github.avf4j.attestation.remote;

import io.github.avf4j.attestation.ByteSlice;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/** Reads files with certificates: PEM, or DER one after the other. Thread-safe. */
public final class CertificateFiles {
  /** The longest file that is read, in bytes. */
  public static final int MAX_BYTES = 1 << 20;

  private static final int MAX_CERTIFICATES = 64;
  private static final String BEGIN = "-----BEGIN CERTIFICATE-----";
  private static final String END = "-----END CERTIFICATE-----";

  private CertificateFiles() {}

  /**
   * The certificates of a file in their order, each in DER and not yet taken apart.
   *
   * @throws RemoteAttestationException if it holds none, more than 64, or something else
   */
  public static List<ByteSlice> read(byte[] file) {
    if (file.length > MAX_BYTES) {
      throw new RemoteAttestationException("file must have at most 1 MiB", MAX_BYTES);
    }
    ByteSlice bytes = ByteSlice.copyOf(file);
    List<ByteSlice> certificates =
        bytes.isEmpty() || bytes.at(0) != DerReader.SEQUENCE ? pem(file) : der(bytes);
    if (certificates.isEmpty()) {
      throw new RemoteAttestationException(
          "file must hold certificates in PEM, or in DER one after the other, but holds none", 0);
    }
    if (certificates.size() > MAX_CERTIFICATES) {
      throw new RemoteAttestationException(
          "file must hold at most " + MAX_CERTIFICATES + " certificates", 0);
    }
    return List.copyOf(certificates);
  }

  private static List<ByteSlice> der(ByteSlice bytes) {
    List<ByteSlice> certificates = new ArrayList<>();
    DerReader reader = new DerReader(bytes);
    while (!reader.atEnd()) {
      certificates.add(reader.next(DerReader.SEQUENCE, "certificate").encoded());
    }
    return certificates;
  }

  /** What stands between certificates is a comment (RFC 7468, section 2). */
  private static List<ByteSlice> pem(byte[] file) {
    String text = new String(file, StandardCharsets.ISO_8859_1);
    List<ByteSlice> certificates = new ArrayList<>();
    int from = 0;
    for (int begin; (begin = text.indexOf(BEGIN, from)) >= 0; ) {
      int end = text.indexOf(END, begin + BEGIN.length());
      if (end < 0) {
        throw new RemoteAttestationException("certificate in PEM has no end", begin);
      }
      String body = text.substring(begin + BEGIN.length(), end).replaceAll("[ \t\r\n]", "");
      try {
        certificates.add(ByteSlice.takeOver(Base64.getDecoder().decode(body)));
      } catch (IllegalArgumentException e) {
        throw new RemoteAttestationException("certificate in PEM is not Base64", begin, e);
      }
      from = end + END.length();
    }
    return certificates;
  }
}
