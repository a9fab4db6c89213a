package io.github.avf4j.attestation.remote;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.SampleDevice;
import io.github.avf4j.attestation.Vectors;
import io.github.avf4j.attestation.cose.CosePrivateKey;
import io.github.avf4j.attestation.dice.DiceHandover;
import io.github.avf4j.attestation.dice.DiceMode;
import io.github.avf4j.attestation.remote.AttestationCheck.Kind;
import io.github.avf4j.attestation.remote.AttestationCheck.Outcome;
import java.math.BigInteger;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class AttestationVerifierTest {
  private static final Instant TIME = Instant.parse("2026-06-01T00:00:00Z");
  private static final ByteSlice CHALLENGE = ByteSlice.ofHex("c0ffee");
  private static final SampleDevice DEVICE = new SampleDevice("device");
  private static final String APK = "apk:com.example.vm";
  private static final String APEX = "apex:com.android.virt";

  private final CosePrivateKey rootKey = ClientVmCsr.generateAttestationKey();
  private final CosePrivateKey rkpKey = ClientVmCsr.generateAttestationKey();
  private final CosePrivateKey vmKey = ClientVmCsr.generateAttestationKey();
  private final ByteSlice root = SampleCertificates.authority("Root").sign(rootKey, rootKey);
  private final ByteSlice rkp =
      SampleCertificates.authority("RKP").issuer("Root").serial(77).sign(rootKey, rkpKey);

  private ByteSlice leaf(DiceHandover machine) {
    return leaf(machine, rkp);
  }

  private ByteSlice leaf(DiceHandover machine, ByteSlice issuer) {
    try (CosePrivateKey leafKey = SampleDevice.leafKey(machine)) {
      return ServiceVm.builder(SampleDevice.chain(DEVICE.serviceVm()))
          .kernel(SampleDevice.KERNEL)
          .build()
          .attest(
              ClientVmCsr.make(SampleDevice.chain(machine), leafKey, vmKey, CHALLENGE),
              rkpKey,
              issuer);
    }
  }

  private ByteSlice leaf() {
    return leaf(DEVICE.clientVm("a", 1, 7));
  }

  private AttestationPolicy.Builder policy() {
    return AttestationPolicy.builder()
        .root(root)
        .component(ComponentRequirement.of(APK, SampleDevice.CERT_HASH).withLeastVersion(7))
        .component(
            ComponentRequirement.of(
                APEX,
                ByteSlice.takeOver(
                    io.github.avf4j.attestation.internal.Digests.sha2(
                        64, SampleDevice.hash("key of the apex")))));
  }

  private static AttestationResult verify(AttestationPolicy policy, ByteSlice... certificates) {
    return verify(policy, CHALLENGE, TIME, certificates);
  }

  private static AttestationResult verify(
      AttestationPolicy policy, ByteSlice challenge, Instant time, ByteSlice... certificates) {
    return new AttestationVerifier(policy, Clock.fixed(time, ZoneOffset.UTC))
        .verify(List.of(certificates), challenge);
  }

  private static List<Kind> failed(AttestationResult result) {
    assertThat(result.isAccepted()).isEqualTo(result.failures().isEmpty());
    return result.failures().stream().map(AttestationCheck::kind).toList();
  }

  @Test
  void acceptsAnAttestationWithAndWithoutItsRoot() {
    AttestationPolicy policy = policy().build();
    for (AttestationResult result :
        List.of(verify(policy, leaf(), rkp, root), verify(policy, leaf(), rkp))) {
      assertThat(result.failures()).isEmpty();
      assertThat(result.attestedKey()).isEqualTo(vmKey.publicKey());
      assertThat(result.extension().orElseThrow().components())
          .isEqualTo(SampleDevice.payload(7).components());
    }
  }

  @Test
  void provesPossessionOfTheKey() {
    AttestationResult result = verify(policy().build(), leaf(), rkp, root);
    byte[] message = {1, 2, 3};
    byte[] signature = EcDer.signature(vmKey.sign(message));
    assertThat(result.verifySignature(message, signature)).isTrue();
    assertThat(result.verifySignature(new byte[] {1}, signature)).isFalse();
    assertThat(result.verifySignature(message, new byte[] {1, 2})).isFalse();
  }

  @Test
  void keepsTheKeyOfARefusedAttestation() {
    AttestationResult result = verify(policy().build(), ByteSlice.EMPTY, TIME, leaf(), rkp, root);
    assertThat(failed(result)).containsExactly(Kind.CHALLENGE);
    assertThatIllegalStateException().isThrownBy(result::attestedKey);
  }

  @Test
  void refusesADebuggableMachineUnlessAllowed() {
    ByteSlice debug = leaf(DEVICE.clientVm("a", 1, 7, DiceMode.DEBUG));
    assertThat(failed(verify(policy().build(), debug, rkp))).containsExactly(Kind.SECURE_MODE);
    assertThat(failed(verify(policy().debugAllowed(true).build(), debug, rkp))).isEmpty();
  }

  @Test
  void refusesOldVersionsOtherSignersOtherCodeAndMissingComponents() {
    assertThat(failed(verify(policy().build(), leaf(DEVICE.clientVm("a", 1, 6)), rkp)))
        .containsExactly(Kind.COMPONENT_VERSION);
    ByteSlice other = SampleDevice.hash("other");
    AttestationPolicy.Builder strict =
        AttestationPolicy.builder()
            .root(root)
            .component(ComponentRequirement.of(APK, other))
            .component(
                new ComponentRequirement(APEX, Set.of(other), BigInteger.ZERO, Set.of(other)))
            .component(ComponentRequirement.of("apk:missing", other));
    assertThat(failed(verify(strict.build(), leaf(), rkp)))
        .containsExactly(
            Kind.COMPONENT_AUTHORITY,
            Kind.COMPONENT_CODE,
            Kind.COMPONENT_AUTHORITY,
            Kind.COMPONENT_PRESENT);
  }

  @Test
  void refusesComponentsThatThePolicyDoesNotNameUnlessAllowed() {
    AttestationPolicy.Builder policy = AttestationPolicy.builder().root(root);
    assertThat(failed(verify(policy.build(), leaf(), rkp)))
        .containsExactly(Kind.UNLISTED_COMPONENTS);
    assertThat(failed(verify(policy.unlistedComponentsAllowed(true).build(), leaf(), rkp)))
        .isEmpty();
  }

  @Test
  void refusesCertificatesOutsideTheirValidity() {
    AttestationPolicy policy = policy().build();
    ByteSlice leaf = leaf();
    Instant end = Instant.parse("2035-12-31T23:59:59Z");
    assertThat(failed(verify(policy, CHALLENGE, end, leaf, rkp, root))).isEmpty();
    assertThat(failed(verify(policy, CHALLENGE, end.plusSeconds(1), leaf, rkp, root)))
        .containsExactly(Kind.VALIDITY);
    assertThat(failed(verify(policy, CHALLENGE, Instant.EPOCH, leaf, rkp, root)))
        .containsExactly(Kind.VALIDITY);
  }

  @Test
  void refusesRevokedCertificates() {
    AttestationPolicy policy = policy().revoke(BigInteger.valueOf(77)).build();
    assertThat(failed(verify(policy, leaf(), rkp))).containsExactly(Kind.REVOCATION);
  }

  @Test
  void refusesAnotherRoot() {
    CosePrivateKey otherKey = ClientVmCsr.generateAttestationKey();
    ByteSlice otherRoot = SampleCertificates.authority("Root").sign(otherKey, otherKey);
    ByteSlice otherRkp = SampleCertificates.authority("RKP").issuer("Root").sign(otherKey, rkpKey);
    assertThat(failed(verify(policy().build(), leaf(), otherRkp, otherRoot)))
        .containsExactly(Kind.TRUSTED_ROOT);
    assertThat(failed(verify(policy().build(), leaf(), otherRkp)))
        .containsExactly(Kind.TRUSTED_ROOT);
  }

  @Test
  void refusesALeafThatClaimsToBeTheRoot() {
    ByteSlice extension =
        X509Certificate.decode(leaf()).extension(AttestationExtension.OID).orElseThrow().value();
    ByteSlice claim =
        SampleCertificates.authority("Android Protected Virtual Machine Key")
            .issuer("Root")
            .extension(AttestationExtension.OID, false, extension.toByteArray())
            .sign(vmKey, rootKey);
    ByteSlice namedRoot =
        SampleCertificates.authority("Android Protected Virtual Machine Key")
            .sign(rootKey, rootKey);
    AttestationPolicy policy =
        AttestationPolicy.builder().root(namedRoot).unlistedComponentsAllowed(true).build();
    assertThat(failed(verify(policy, claim))).contains(Kind.TRUSTED_ROOT);
  }

  @Test
  void refusesIssuersThatMustNotIssue() {
    ByteSlice noConstraints =
        SampleCertificates.authority("RKP")
            .withoutExtensions()
            .issuer("Root")
            .sign(rootKey, rkpKey);
    ByteSlice noUsage =
        SampleCertificates.authority("RKP")
            .withoutExtensions()
            .constraints(true, -1)
            .usage(0x80)
            .issuer("Root")
            .sign(rootKey, rkpKey);
    ByteSlice shortRoot =
        SampleCertificates.authority("Root")
            .withoutExtensions()
            .constraints(true, 0)
            .usage(4)
            .sign(rootKey, rootKey);
    ByteSlice unknown =
        SampleCertificates.authority("RKP")
            .extension("2.5.29.30", true, Der.sequence())
            .issuer("Root")
            .sign(rootKey, rkpKey);
    AttestationPolicy policy = policy().build();
    assertThat(failed(verify(policy, leaf(), noConstraints)))
        .containsExactly(Kind.CHAIN_AUTHORITIES);
    assertThat(failed(verify(policy, leaf(), noUsage))).containsExactly(Kind.CHAIN_AUTHORITIES);
    assertThat(failed(verify(policy, leaf(), unknown))).containsExactly(Kind.CRITICAL_EXTENSIONS);
    AttestationPolicy shortPolicy =
        AttestationPolicy.builder().root(shortRoot).unlistedComponentsAllowed(true).build();
    assertThat(failed(verify(shortPolicy, leaf(), rkp, shortRoot)))
        .containsExactly(Kind.CHAIN_AUTHORITIES);
  }

  @Test
  void refusesALeafOfAnotherKind() {
    ByteSlice plain =
        SampleCertificates.authority("Someone")
            .withoutExtensions()
            .issuer("RKP")
            .sign(rkpKey, vmKey);
    AttestationResult result = verify(policy().build(), plain, rkp);
    assertThat(failed(result)).containsExactly(Kind.LEAF_SUBJECT, Kind.EXTENSION);
    assertThat(result.checks())
        .filteredOn(check -> check.outcome() == Outcome.SKIPPED)
        .extracting(AttestationCheck::kind)
        .contains(Kind.CHALLENGE, Kind.COMPONENTS);
  }

  @Test
  void refusesAnIssuerWithAnExtensionOfItsOwn() {
    ByteSlice extension =
        X509Certificate.decode(leaf()).extension(AttestationExtension.OID).orElseThrow().value();
    ByteSlice odd =
        SampleCertificates.authority("RKP")
            .extension(AttestationExtension.OID, false, extension.toByteArray())
            .issuer("Root")
            .sign(rootKey, rkpKey);
    assertThat(failed(verify(policy().build(), leaf(), odd))).contains(Kind.EXTENSION);
  }

  @Test
  void refusesFlippedBitsOfTheLeaf() {
    byte[] bytes = leaf().toByteArray();
    AttestationPolicy policy = policy().build();
    for (int i = 0; i < bytes.length; i += 3) {
      byte[] changed = bytes.clone();
      changed[i] ^= (byte) (1 << i % 8);
      assertThat(verify(policy, ByteSlice.takeOver(changed), rkp, root).isAccepted())
          .as("byte %d", i)
          .isFalse();
    }
  }

  @Test
  void refusesNoCertificatesAndTooMany() {
    AttestationPolicy policy = policy().build();
    assertThat(failed(verify(policy))).containsExactly(Kind.CERTIFICATES);
    ByteSlice[] many = new ByteSlice[17];
    Arrays.fill(many, root);
    assertThat(failed(verify(policy, many))).containsExactly(Kind.CERTIFICATES);
    assertThat(failed(verify(policy, leaf(), rkp, root, root))).contains(Kind.CHAIN_NAMES);
  }

  @Test
  void verifiesTheRealChainOfAProvisionedKey() {
    List<ByteSlice> real = CertificateFiles.read(Vectors.bytes("avf/rkp_cert_chain.der"));
    assertThat(real).hasSize(4);
    AttestationPolicy policy = AttestationPolicy.builder().root(real.get(3)).build();
    AttestationResult result =
        verify(
            policy,
            CHALLENGE,
            Instant.parse("2023-12-01T00:00:00Z"),
            real.toArray(ByteSlice[]::new));
    assertThat(failed(result)).containsExactly(Kind.LEAF_SUBJECT, Kind.EXTENSION);
  }

  @Test
  void readsPemWithCommentsBetween() {
    String pem =
        "leaf\n-----BEGIN CERTIFICATE-----\n"
            + Base64.getMimeEncoder().encodeToString(leaf().toByteArray())
            + "\n-----END CERTIFICATE-----\nissuer\n-----BEGIN CERTIFICATE-----\r\n"
            + Base64.getMimeEncoder().encodeToString(rkp.toByteArray())
            + "\r\n-----END CERTIFICATE-----\n";
    assertThat(
            new AttestationVerifier(policy().build(), Clock.fixed(TIME, ZoneOffset.UTC))
                .verifyFile(pem.getBytes(java.nio.charset.StandardCharsets.US_ASCII), CHALLENGE)
                .failures())
        .isEmpty();
  }

  @Test
  void writesItsResultForMachinesAndForPeople() throws Exception {
    AttestationResult result = verify(policy().build(), ByteSlice.EMPTY, TIME, leaf(), rkp);
    JsonNode json = new ObjectMapper().readTree(result.toJson());
    assertThat(json.required("accepted").booleanValue()).isFalse();
    assertThat(json.required("challenge").textValue()).isEqualTo("c0ffee");
    assertThat(json.required("components")).hasSize(2);
    assertThat(json.required("checks"))
        .hasSameSizeAs(result.checks())
        .anySatisfy(
            check -> {
              assertThat(check.required("check").textValue()).isEqualTo("challenge");
              assertThat(check.required("outcome").textValue()).isEqualTo("fail");
            });
    assertThat(result.toTable())
        .contains("fail    challenge ")
        .contains("component-version " + APK)
        .endsWith("refused: 1 of the checks failed\n");
  }
}
