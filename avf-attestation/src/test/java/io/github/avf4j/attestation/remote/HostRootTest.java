package io.github.avf4j.attestation.remote;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.SampleDevice;
import io.github.avf4j.attestation.cose.CosePrivateKey;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HostRootTest {
  private static final byte[] CHALLENGE = {1, 2, 3};

  @TempDir Path directory;
  private Path file;

  @BeforeEach
  void nameTheFile() {
    file = directory.resolve("data").resolve(HostRoot.FILE_NAME);
  }

  private ByteSlice create() {
    try (HostRoot root = HostRoot.openOrCreate(file)) {
      return root.certificate();
    }
  }

  @Test
  void isCreatedOnceForItsOwnerAlone() throws IOException {
    ByteSlice first = create();
    assertThat(create()).isEqualTo(first);
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
        .isEqualTo("rw-------");
    try (var files = Files.list(file.getParent())) {
      assertThat(files).containsExactly(file);
    }
  }

  @Test
  void aFileThatIsGoneGivesAnotherRootOfAnotherName() throws IOException {
    ByteSlice first = create();
    Files.delete(file);
    assertThat(X509Certificate.decode(create()).subject())
        .isNotEqualTo(X509Certificate.decode(first).subject());
  }

  @Test
  void saysInItsNameWhoseItIs() {
    assertThat(X509Certificate.decode(create()).commonName().orElseThrow())
        .matches("avf4j root of one host, not of Google, [0-9a-f]{8}");
    try (HostRoot testing = HostRoot.forTesting()) {
      assertThat(X509Certificate.decode(testing.certificate()).commonName().orElseThrow())
          .startsWith("avf4j for testing only, trust nothing signed by it ")
          .hasSizeLessThanOrEqualTo(64);
    }
  }

  @Test
  void othersReadItsCertificate() throws CertificateException {
    try (HostRoot root = HostRoot.openOrCreate(file)) {
      byte[] pem = root.toPem().getBytes(StandardCharsets.US_ASCII);
      assertThat(CertificateFiles.read(pem)).containsExactly(root.certificate());
      var parsed =
          CertificateFactory.getInstance("X.509")
              .generateCertificate(new ByteArrayInputStream(root.certificate().toByteArray()));
      assertThat(parsed.getPublicKey().getAlgorithm()).isEqualTo("EC");
      assertThat(root.toPem()).contains("not of Google").endsWith("-----END CERTIFICATE-----\n");
    }
  }

  @Test
  void certifiesAfterItWasOpenedAgain() {
    ByteSlice certificate = create();
    Instant now = Instant.now();
    try (HostRoot root = HostRoot.openOrCreate(file);
        CosePrivateKey key = ClientVmCsr.generateAttestationKey();
        CosePrivateKey attested = ClientVmCsr.generateAttestationKey()) {
      ByteSlice provisioned =
          root.authority().certify(key.publicKey(), "service VM", now, Duration.ofDays(1));
      ClientVm client =
          new ClientVm(
              SampleDevice.chain(new SampleDevice("device").clientVm("a", 1, 7)),
              attested.publicKey(),
              ByteSlice.copyOf(CHALLENGE),
              true,
              SampleDevice.payload(7).components());
      ByteSlice leaf = CertificateIssuer.issue(client, key, X509Certificate.decode(provisioned));
      AttestationPolicy policy =
          AttestationPolicy.builder().root(certificate).unlistedComponentsAllowed(true).build();
      AttestationResult result =
          new AttestationVerifier(policy)
              .verify(List.of(leaf, provisioned), ByteSlice.copyOf(CHALLENGE));
      assertThat(result.isAccepted()).as(result.toTable()).isTrue();
    }
  }

  @Test
  void refusesADamagedFileAndLeavesIt() throws IOException {
    create();
    byte[] content = Files.readAllBytes(file);
    for (int i = 0; i < content.length; i++) {
      byte[] changed = content.clone();
      changed[i] ^= 1;
      Files.write(file, changed);
      assertThatExceptionOfType(HostRootException.class)
          .isThrownBy(this::create)
          .withMessageContaining("attestation root")
          .withMessageContaining("damaged: restore it, or remove it");
      assertThat(Files.readAllBytes(file)).isEqualTo(changed);
    }
    Files.write(file, new byte[0]);
    assertThatExceptionOfType(HostRootException.class).isThrownBy(this::create);
  }

  @Test
  void refusesAFileThatOthersCanRead() throws IOException {
    create();
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r-----"));
    assertThatExceptionOfType(HostRootException.class)
        .isThrownBy(this::create)
        .withMessageContaining("chmod 600");
  }

  @Test
  void refusesAFolderThatOthersCanWriteTo() throws IOException {
    create();
    Files.setPosixFilePermissions(file.getParent(), PosixFilePermissions.fromString("rwxrwxrwx"));
    assertThatExceptionOfType(HostRootException.class)
        .isThrownBy(this::create)
        .withMessageContaining("chmod go-w");
  }

  @Test
  void neverPrintsItsKey() {
    try (HostRoot root = HostRoot.openOrCreate(file)) {
      assertThat(root.toString()).startsWith("HostRoot[").contains("not of Google");
    }
  }
}
