package io.github.avf4j.service.attest;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.avb.AvbSigner;
import io.github.avf4j.attestation.avb.RsaKeyFile;
import io.github.avf4j.attestation.cose.CosePrivateKey;
import io.github.avf4j.attestation.dice.DiceHandover;
import io.github.avf4j.attestation.dice.DiceMode;
import io.github.avf4j.attestation.pvmfw.NextHandover;
import io.github.avf4j.attestation.remote.AttestationCheck;
import io.github.avf4j.attestation.remote.AttestationCheck.Kind;
import io.github.avf4j.attestation.remote.AttestationPolicy;
import io.github.avf4j.attestation.remote.AttestationResult;
import io.github.avf4j.attestation.remote.AttestationVerifier;
import io.github.avf4j.attestation.remote.ClientVmCsr;
import io.github.avf4j.attestation.remote.ComponentRequirement;
import io.github.avf4j.attestation.remote.HostRoot;
import io.github.avf4j.attestation.remote.X509Certificate;
import io.github.avf4j.microdroid.base.BaseImage;
import io.github.avf4j.microdroid.base.HostFirmware;
import io.github.avf4j.service.attest.AttestationAnswer.Attested;
import io.github.avf4j.service.attest.AttestationAnswer.Failed;
import io.github.avf4j.service.attest.AttestationAnswer.Unsupported;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HostAttestationTest {
  private static final ByteSlice CHALLENGE = ByteSlice.ofHex("c0ffee");

  @TempDir Path folder;
  private final HostFirmware firmware = SignedGuest.firmware(42);
  private final CosePrivateKey key = ClientVmCsr.generateAttestationKey();
  private BaseImage image;
  private Path rootFile;
  private HostAttestation authority;

  @BeforeEach
  void setUp() throws IOException {
    image = SignedGuest.image(folder.resolve("base"), 1);
    rootFile = folder.resolve("data/root");
    authority = new HostAttestation(firmware, image, rootFile);
  }

  @AfterEach
  void tearDown() {
    authority.close();
    key.close();
  }

  private byte[] request() {
    return request(firmware, SignedGuest.SIGNER);
  }

  private byte[] request(HostFirmware device, ByteSlice signer) {
    try (DiceHandover guest = SignedGuest.guest(device, image, SignedGuest.payload(signer))) {
      return SignedGuest.request(guest, key, CHALLENGE);
    }
  }

  private List<ByteSlice> attest(byte[] request) {
    AttestationAnswer answer = authority.answer(request, false);
    assertThat(answer).isInstanceOf(Attested.class);
    return ((Attested) answer).certificates();
  }

  private void assertRefused(byte[] request, String reason) {
    assertThat(authority.answer(request, false))
        .isInstanceOfSatisfying(
            Failed.class,
            failed -> assertThat(failed.reason()).contains("refused").contains(reason));
  }

  private AttestationPolicy.Builder policy() {
    try (HostRoot root = HostRoot.openOrCreate(rootFile)) {
      return AttestationPolicy.builder()
          .root(root.certificate())
          .component(
              ComponentRequirement.of(SignedGuest.APK, SignedGuest.SIGNER).withLeastVersion(7));
    }
  }

  private AttestationResult verify(List<ByteSlice> certificates, ByteSlice challenge) {
    return new AttestationVerifier(policy().debugAllowed(true).build())
        .verify(certificates, challenge);
  }

  private static List<Kind> failures(AttestationResult result) {
    return result.failures().stream().map(AttestationCheck::kind).toList();
  }

  @Test
  void aRelyingPartyThatKnowsTheRootAcceptsAGuestOfThisHost() {
    List<ByteSlice> certificates = attest(request());
    assertThat(certificates).hasSize(3);
    AttestationResult result = verify(certificates, CHALLENGE);
    assertThat(result.isAccepted()).as(result.toTable()).isTrue();
    assertThat(result.attestedKey()).isEqualTo(key.publicKey());
    assertThat(result.extension().orElseThrow().components())
        .isEqualTo(SignedGuest.payload(SignedGuest.SIGNER).components());
    assertThat(X509Certificate.decode(certificates.get(1)).commonName())
        .hasValue("avf4j service VM, played by its host");
    assertThat(X509Certificate.decode(certificates.get(2)).commonName().orElseThrow())
        .contains("not of Google");
  }

  @Test
  void guestsOfABaseImageOfTheUsersOwnAreCertifiedByTheFirmwareThatTrustsIt() throws IOException {
    AvbSigner user;
    try (InputStream in = getClass().getResourceAsStream("/attest/testkey_rsa4096.pem")) {
      user = RsaKeyFile.signer(in.readAllBytes());
    }
    HostFirmware own = SignedGuest.firmware(42, user.publicKey());
    BaseImage signed = SignedGuest.image(folder.resolve("own"), 1, user);
    byte[] request;
    try (DiceHandover guest =
        SignedGuest.guest(own, signed, SignedGuest.payload(SignedGuest.SIGNER))) {
      assertThat(guest.chain().orElseThrow().certificates().get(2).authorityHash())
          .contains(user.publicKey().sha512());
      request = SignedGuest.request(guest, key, CHALLENGE);
    }
    assertRefused(request, "");
    authority.close();
    authority = new HostAttestation(own, signed, rootFile);
    AttestationResult result = verify(attest(request), CHALLENGE);
    assertThat(result.isAccepted()).as(result.toTable()).isTrue();
    assertRefused(request(), "");
  }

  /** The request of the guest's own code, behind what the firmware hands to this very guest. */
  @Test
  void certifiesTheKeyThatTheGuestsOwnCodeMade() throws IOException {
    byte[] request;
    try (InputStream in = getClass().getResourceAsStream("/attest/guest_csr.cbor")) {
      request = in.readAllBytes();
    }
    AttestationResult result = verify(attest(request), CHALLENGE);
    assertThat(result.isAccepted()).as(result.toTable()).isTrue();
    assertThat(result.attestedKey())
        .isEqualTo(ClientVmCsr.decode(ByteSlice.takeOver(request)).publicKey());
    assertThat(result.extension().orElseThrow().components())
        .isEqualTo(SignedGuest.payload(SignedGuest.SIGNER).components());
  }

  @Test
  void noGuestOfAHostThatPlaysItsFirmwareIsSecure() {
    List<ByteSlice> certificates = attest(request());
    AttestationResult result =
        new AttestationVerifier(policy().build()).verify(certificates, CHALLENGE);
    assertThat(failures(result)).containsExactly(Kind.SECURE_MODE);
    assertThat(result.extension().orElseThrow().vmSecure()).isFalse();
  }

  @Test
  void acceptsADebuggableGuest() {
    byte[] request;
    try (NextHandover next = SignedGuest.boot(firmware, image, true);
        DiceHandover guest =
            next.handover()
                .next(
                    SignedGuest.payload(SignedGuest.SIGNER).input(DiceMode.DEBUG, new byte[64]),
                    SignedGuest.ISSUER)) {
      request = SignedGuest.request(guest, key, CHALLENGE);
    }
    AttestationResult result = verify(attest(request), CHALLENGE);
    assertThat(result.isAccepted()).as(result.toTable()).isTrue();
  }

  @Test
  void anotherChallengeIsNotAccepted() {
    AttestationResult result = verify(attest(request()), ByteSlice.ofHex("c0ffef"));
    assertThat(failures(result)).containsExactly(Kind.CHALLENGE);
  }

  @Test
  void aPayloadOfAnotherSignerIsNotAccepted() {
    ByteSlice other = SignedGuest.hash("certificate of somebody else");
    AttestationResult result = verify(attest(request(firmware, other)), CHALLENGE);
    assertThat(failures(result)).containsExactly(Kind.COMPONENT_AUTHORITY);
  }

  @Test
  void anAuthorityHashThatWasChangedInTheChainIsRefused() {
    String signer = SignedGuest.SIGNER.toHex();
    String changed = "00".repeat(64);
    String request = HexFormat.of().formatHex(request());
    assertThat(request).contains(signer);
    assertRefused(HexFormat.of().parseHex(request.replace(signer, changed)), "INVALID_DICE_CHAIN");
  }

  @Test
  void aGuestOfAnotherDeviceIsRefused() {
    assertRefused(
        request(SignedGuest.firmware(43), SignedGuest.SIGNER),
        "INVALID_DICE_CHAIN: the client does not share the service VM's firmware");
  }

  @Test
  void aChainWithoutThePayloadsLayerIsRefused() {
    try (NextHandover next = SignedGuest.boot(firmware, image, false)) {
      assertRefused(
          SignedGuest.request(next.handover(), key, CHALLENGE),
          "INVALID_DICE_CHAIN: the client's chain must go on with 2 or 3 layers but has 1");
    }
  }

  @Test
  void aChainWithoutTheKernelsLayerIsRefused() {
    try (HostFirmware.ServiceVmLayer layer = firmware.serviceVm(image);
        DiceHandover guest =
            layer
                .handover()
                .next(
                    SignedGuest.payload(SignedGuest.SIGNER).input(DiceMode.NORMAL, new byte[64]),
                    SignedGuest.ISSUER)) {
      assertRefused(
          SignedGuest.request(guest, key, CHALLENGE),
          "INVALID_DICE_CHAIN: the client's kernel is not known");
    }
  }

  @Test
  void aKernelOfAnotherImageIsRefused() throws IOException {
    image = SignedGuest.image(folder.resolve("other"), 10);
    assertRefused(request(), "INVALID_DICE_CHAIN: the client's kernel is not known");
  }

  @Test
  void bytesThatAreNoRequestAreRefused() {
    assertRefused(new byte[0], "CBOR_VALUE_ERROR");
    byte[] request = request();
    for (int i = 0; i < request.length; i += 7) {
      byte[] changed = request.clone();
      changed[i] ^= 1;
      assertThat(authority.answer(changed, false)).as("byte %d", i).isInstanceOf(Failed.class);
    }
  }

  @Test
  void certificatesForTestingHaveARootThatNobodyKnows() {
    AttestationAnswer answer = authority.answer(request(), true);
    assertThat(answer).isInstanceOf(Attested.class);
    AttestationResult result = verify(((Attested) answer).certificates(), CHALLENGE);
    assertThat(failures(result)).containsExactly(Kind.TRUSTED_ROOT);
    assertThat(result.toTable()).contains("trust nothing signed by it");
  }

  @Test
  void theRootOfAnotherHostIsNotAccepted() {
    List<ByteSlice> certificates = attest(request());
    try (HostRoot other = HostRoot.openOrCreate(folder.resolve("other-root"))) {
      AttestationPolicy policy =
          AttestationPolicy.builder()
              .root(other.certificate())
              .debugAllowed(true)
              .unlistedComponentsAllowed(true)
              .build();
      assertThat(failures(new AttestationVerifier(policy).verify(certificates, CHALLENGE)))
          .containsExactly(Kind.TRUSTED_ROOT);
    }
  }

  @Test
  void nothingIsMadeBeforeAGuestAsks() {
    assertThat(rootFile).doesNotExist();
    attest(request());
    assertThat(rootFile).exists();
  }

  @Test
  void theServiceVmIsProvisionedAgainBeforeItsCertificateEnds() {
    AtomicReference<Instant> now = new AtomicReference<>(Instant.now());
    try (HostAttestation aging = new HostAttestation(firmware, image, rootFile, clockOf(now))) {
      ByteSlice first = issuer(aging);
      now.set(now.get().plus(Duration.ofDays(14)));
      assertThat(issuer(aging)).isEqualTo(first);
      now.set(now.get().plus(Duration.ofDays(2)));
      assertThat(issuer(aging)).isNotEqualTo(first);
    }
  }

  private static Clock clockOf(AtomicReference<Instant> now) {
    return new Clock() {
      @Override
      public ZoneOffset getZone() {
        return ZoneOffset.UTC;
      }

      @Override
      public Clock withZone(ZoneId zone) {
        return this;
      }

      @Override
      public Instant instant() {
        return now.get();
      }
    };
  }

  private ByteSlice issuer(HostAttestation from) {
    AttestationAnswer answer = from.answer(request(), false);
    assertThat(answer).isInstanceOf(Attested.class);
    return ((Attested) answer).certificates().get(1);
  }

  @Test
  void aHostThatCannotCertifyTellsTheGuestNothingOfItsFiles() throws IOException {
    attest(request());
    Files.setPosixFilePermissions(rootFile, PosixFilePermissions.fromString("rw-r--r--"));
    try (HostAttestation refused = new HostAttestation(firmware, image, rootFile)) {
      assertThat(refused.answer(request(), false))
          .isEqualTo(new Failed("this host cannot certify keys at the moment; its log says why"));
    }
    Files.delete(image.initrd(true));
    try (HostAttestation incomplete = new HostAttestation(firmware, image, rootFile)) {
      assertThat(incomplete.answer(request(), true)).isInstanceOf(Failed.class);
    }
  }

  @Test
  void nothingIsCertifiedOnceItIsClosed() {
    byte[] request = request();
    attest(request);
    authority.close();
    assertThat(authority.answer(request, false)).isInstanceOf(Failed.class);
    authority.close();
  }

  @Test
  void whoHasNoAuthorityHearsWhy() {
    try (AttestationAuthority none = AttestationAuthority.unsupported("no base image")) {
      assertThat(none.answer(request(), false)).isEqualTo(new Unsupported("no base image"));
    }
  }
}
