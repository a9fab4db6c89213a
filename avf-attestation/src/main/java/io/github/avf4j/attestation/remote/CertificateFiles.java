package io.github.avf4j.attestation.remote;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.internal.Pem;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Reads files with certificates: PEM, or DER one after the other. Thread-safe. */
public final class CertificateFiles {
  /** The longest file that is read, in bytes. */
  public static final int MAX_BYTES = 1 << 20;

  private static final int MAX_CERTIFICATES = 64;
  private static final String CERTIFICATE = "CERTIFICATE";

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

  private static List<ByteSlice> pem(byte[] file) {
    List<ByteSlice> certificates = new ArrayList<>();
    try {
      Optional<Pem.Section> section = Pem.find(file, 0, CERTIFICATE::equals);
      while (section.isPresent()) {
        certificates.add(ByteSlice.takeOver(section.get().der()));
        section = Pem.find(file, section.get().end(), CERTIFICATE::equals);
      }
    } catch (Pem.DamagedException e) {
      throw new RemoteAttestationException(String.valueOf(e.getMessage()), e.position(), e);
    }
    return certificates;
  }
}
