package io.github.avf4j.attestation.remote;

import io.github.avf4j.attestation.AttestationException;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.SecretBytes;
import io.github.avf4j.attestation.cose.CosePrivateKey;
import io.github.avf4j.attestation.internal.DurableFiles;
import io.github.avf4j.attestation.internal.OwnerFile;
import io.github.avf4j.attestation.internal.Pem;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.HexFormat;

/**
 * The root with which one host vouches for the machines that it runs itself: a key and its
 * certificate, in a file that is created once, with access for its owner alone.
 *
 * <p>It is this host's own and none of Google's or of any vendor, and its name says so. Whoever
 * accepts it believes the host's owner and nobody else: the host plays firmware and service VM, and
 * could have anything certified. A file that is gone gives another root, which relying parties do
 * not know; a file that is damaged, or that others can read, is refused and never replaced.
 *
 * <p>Closing wipes the key. Thread-safe.
 */
public final class HostRoot implements AutoCloseable {
  /** The name of the file in a folder of a user's data. */
  public static final String FILE_NAME = "attestation-root";

  private static final OwnerFile.Kind KIND =
      new OwnerFile.Kind(
          "attestation root",
          "give this host another root, which relying parties must be told of",
          new byte[] {'A', 'V', 'F', 'R', 'O', 'O', 'T', '\n'},
          4096,
          HostRootException::new);
  private static final Duration VALIDITY = Duration.ofDays(20 * 365);

  /** For relying parties whose clocks are late. */
  private static final Duration EARLIER = Duration.ofHours(1);

  private static final int NAME_BYTES = 4;

  private final CosePrivateKey key;
  private final ProvisioningAuthority authority;

  private HostRoot(CosePrivateKey key, ProvisioningAuthority authority) {
    this.key = key;
    this.authority = authority;
  }

  /**
   * Where a user's root is unless something else is said: {@value #FILE_NAME} in {@code
   * $XDG_DATA_HOME/avf4j}, or in {@code ~/.local/share/avf4j} if that is not set.
   */
  public static Path fileOfUser() {
    String configured = System.getenv("XDG_DATA_HOME");
    Path data =
        configured == null || configured.isBlank()
            ? Path.of(System.getProperty("user.home"), ".local", "share")
            : Path.of(configured);
    return data.resolve("avf4j").resolve(FILE_NAME).toAbsolutePath();
  }

  /**
   * Opens the file, or creates it with a fresh key of P-256 and a certificate that is valid for 20
   * years. Missing directories are created. Blocks on the file system.
   *
   * @return the root, which the caller closes
   * @throws HostRootException if the file cannot be read or created, is damaged, is accessible to
   *     others, or is in a directory that others may write to
   */
  public static HostRoot openOrCreate(Path file) {
    byte[] content =
        OwnerFile.openOrCreate(file, KIND, HostRoot::newContent, DurableFiles.Steps.NONE);
    try {
      return decode(content);
    } catch (AttestationException | IllegalArgumentException e) {
      throw OwnerFile.damaged(file, KIND, e);
    } finally {
      Arrays.fill(content, (byte) 0);
    }
  }

  /** A root that is in no file and ends with this object: for tests, trusted by nobody else. */
  public static HostRoot forTesting() {
    CosePrivateKey key = EcDer.generate();
    return new HostRoot(key, create(key, "avf4j for testing only, trust nothing signed by it "));
  }

  private static ProvisioningAuthority create(CosePrivateKey key, String name) {
    byte[] id = ProvisioningAuthority.keyId(key.publicKey());
    return ProvisioningAuthority.create(
        name + HexFormat.of().formatHex(id, 0, NAME_BYTES),
        key,
        Instant.now().minus(EARLIER),
        VALIDITY);
  }

  /** The length of the key's DER in two bytes, that DER, and that of the certificate. */
  private static byte[] newContent() {
    try (CosePrivateKey key = EcDer.generate();
        SecretBytes der = EcDer.ecPrivateKey(key)) {
      // Two roots with one name could not be told apart where people read names.
      ByteSlice certificate = create(key, "avf4j root of one host, not of Google, ").certificate();
      byte[] out = new byte[2 + der.length() + certificate.length()];
      ByteBuffer buffer = ByteBuffer.wrap(out).putShort((short) der.length());
      der.use(buffer::put);
      buffer.put(certificate.asByteBuffer());
      return out;
    }
  }

  private static HostRoot decode(byte[] content) {
    int keyLength = content.length < 2 ? 0 : ByteBuffer.wrap(content).getShort();
    if (keyLength <= 0 || keyLength > content.length - 2) {
      throw new RemoteAttestationException("the key is missing", 0);
    }
    byte[] der = Arrays.copyOfRange(content, 2, 2 + keyLength);
    byte[] certificate = Arrays.copyOfRange(content, 2 + keyLength, content.length);
    try {
      CosePrivateKey key = EcDer.parseEcPrivateKey(der);
      return new HostRoot(key, ProvisioningAuthority.of(key, ByteSlice.takeOver(certificate)));
    } finally {
      Arrays.fill(der, (byte) 0);
    }
  }

  /** The root certificate, in DER, for the policies of relying parties. */
  public ByteSlice certificate() {
    return authority.certificate();
  }

  /** The root certificate in PEM, with what it is as a comment before it. */
  public String toPem() {
    return "# "
        + X509Certificate.decode(certificate()).commonName().orElseThrow()
        + "\n# Vouches for machines of one host, on the word of its owner alone.\n"
        + Pem.encode("CERTIFICATE", certificate().toByteArray());
  }

  /** Certifies service VMs, as long as this is open. */
  public ProvisioningAuthority authority() {
    return authority;
  }

  /** Wipes the key. */
  @Override
  public void close() {
    key.close();
  }

  /** The certificate's name, never the key. */
  @Override
  public String toString() {
    return "HostRoot[" + X509Certificate.decode(certificate()) + "]";
  }
}
