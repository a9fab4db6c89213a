package io.github.avf4j.microdroid.java;

import io.github.avf4j.JavaPayloadException;
import io.github.avf4j.JavaPayloadException.Reason;
import io.github.avf4j.attestation.AttestationException;
import io.github.avf4j.attestation.internal.DurableFiles;
import io.github.avf4j.attestation.internal.Pem;
import io.github.avf4j.microdroid.apk.SigningKey;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.cert.X509Certificate;
import java.time.Instant;

/**
 * The key by which a user signs payloads unless another one is given: RSA, so that the same payload
 * has the same bytes, made when it is first needed and kept in a file for its owner only.
 *
 * <p>Whoever loses it cannot make another version of a payload that gets the same secrets.
 * Thread-safe, also against other processes.
 */
final class DevelopmentSigner {
  private static final String FILE = "payload-signing-key.pem";
  private static final int BITS = 3072;
  private static final String CERTIFICATE = "-----BEGIN CERTIFICATE-----";
  private static final Instant FROM = Instant.parse("2020-01-01T00:00:00Z");

  /** What RFC 5280 gives a certificate that does not expire. */
  private static final Instant TO = Instant.parse("9999-12-31T23:59:59Z");

  private final Path folder;

  DevelopmentSigner(Path folder) {
    this.folder = folder;
  }

  /**
   * Returns the key.
   *
   * @throws JavaPayloadException of the reason SIGNING_KEY if it is damaged or cannot be made
   */
  SigningKey findOrMake() {
    Path file = folder.resolve(FILE);
    try {
      if (!Files.exists(file)) {
        make(file);
      }
      String text = Files.readString(file, StandardCharsets.US_ASCII);
      int split = text.indexOf(CERTIFICATE);
      byte[] key = text.substring(0, Math.max(split, 0)).getBytes(StandardCharsets.US_ASCII);
      byte[] certificate = text.substring(Math.max(split, 0)).getBytes(StandardCharsets.US_ASCII);
      return SigningKey.ofPem(key, certificate);
    } catch (IOException | GeneralSecurityException | AttestationException e) {
      throw new JavaPayloadException(
          Reason.SIGNING_KEY,
          "the key for development %s cannot be made or read (%s): repair it, or give a key of your own"
              .formatted(file, e.getMessage()),
          e);
    }
  }

  private void make(Path file) throws IOException, GeneralSecurityException {
    Files.createDirectories(folder, DurableFiles.ownerOnlyDirectory());
    KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
    generator.initialize(BITS);
    KeyPair pair = generator.generateKeyPair();
    X509Certificate certificate =
        SigningKey.selfSigned(pair, "avf4j payloads for development", FROM, TO)
            .certificates()
            .get(0);
    String text =
        Pem.encode("PRIVATE KEY", pair.getPrivate().getEncoded())
            + Pem.encode("CERTIFICATE", certificate.getEncoded());
    // Where another process was faster, its key is that of all.
    DurableFiles.create(file, text.getBytes(StandardCharsets.US_ASCII), DurableFiles.Steps.NONE);
    DurableFiles.removeLeftoversOf(file);
  }
}
