package io.github.avf4j.attestation.remote;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.github.avf4j.attestation.AttestationException;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.SampleDevice;
import io.github.avf4j.attestation.SecretBytes;
import io.github.avf4j.attestation.Vectors;
import io.github.avf4j.attestation.cbor.CborArray;
import io.github.avf4j.attestation.cbor.CborMap;
import io.github.avf4j.attestation.cbor.CborReader;
import io.github.avf4j.attestation.cbor.CborValue;
import io.github.avf4j.attestation.cbor.CborWriter;
import io.github.avf4j.attestation.cose.CoseAlgorithm;
import io.github.avf4j.attestation.cose.CosePrivateKey;
import io.github.avf4j.attestation.cose.CoseSign1;
import io.github.avf4j.attestation.dice.DiceChainRules;
import io.github.avf4j.attestation.dice.DiceException;
import io.github.avf4j.attestation.dice.DiceHandover;
import io.github.avf4j.attestation.dice.DiceRule;
import io.github.avf4j.attestation.dice.RkpInstance;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ProvisioningRequestTest {
  private static final Instant TIME = Instant.parse("2025-03-26T00:00:00Z");
  private static final RequestRules RULES = RequestRules.of(DiceChainRules.DEFAULT, TIME);
  private static final RequestRules AVF =
      RULES.withChain(DiceChainRules.DEFAULT.withInstance(RkpInstance.AVF).withAnyMode(true));

  private static String text(String name) {
    return new String(Vectors.bytes("hwtrust/" + name), StandardCharsets.UTF_8);
  }

  private static ByteSlice base64(String name) {
    return ByteSlice.takeOver(Base64.getDecoder().decode(text(name).trim()));
  }

  private static AttestationException refusal(ByteSlice request, RequestRules rules) {
    return catchThrowableOfType(
        AttestationException.class, () -> ProvisioningRequest.verify(request, rules));
  }

  @Test
  void acceptsTheEncryptedRequestOfVersion2() {
    ByteSlice request = Vectors.slice("hwtrust/csr/valid_csr.cbor");
    ProvisioningRequest verified = ProvisioningRequest.verify(request, RULES);
    assertThat(verified.version()).isEqualTo(2);
    assertThat(verified.chain().isDegenerate()).isTrue();
    assertThat(verified.warnings())
        .containsExactly(
            "certificate 0: the chain is one self-signed certificate, which describes nothing");
    assertThat(verified.challenge().toHex()).isEqualTo("0102030405060708090a0b0c0d0e0f10");
    assertThat(base64("csr/v2_csr.base64")).isEqualTo(request);
  }

  @Test
  void refusesItsDegenerateChainWhereTheRulesSaySo() {
    ByteSlice request = Vectors.slice("hwtrust/csr/valid_csr.cbor");
    RequestRules strict = RULES.withDegenerateInVersion2(false);
    AttestationException e = refusal(request, strict);
    assertThat(e).isInstanceOf(DiceException.class);
    assertThat(((DiceException) e).rule()).isEqualTo(DiceRule.DEGENERATE);
    assertThat(refusal(request, strict.withChain(DiceChainRules.DEFAULT.withDegenerate(true))))
        .isNull();
  }

  /** The signed part is of another key, so that where the chain is accepted that part is not. */
  @Test
  void refusesADegenerateChainInVersion3UnlessAllowed() {
    try (CosePrivateKey key =
        CosePrivateKey.ofSecret(CoseAlgorithm.ED25519, SecretBytes.takeOver(new byte[32]))) {
      ByteSlice request = withItem("v3_ed25519_valid", 2, degenerateChain(key));
      assertThat(refusal(request, RULES)).hasMessageContaining("self-signed");
      assertThat(refusal(request, RULES.withChain(DiceChainRules.DEFAULT.withDegenerate(true))))
          .hasMessageContaining("header must name the algorithm of the key");
    }
  }

  private static CborValue degenerateChain(CosePrivateKey key) {
    byte[] payload =
        new CborWriter()
            .map(4)
            .integer(1)
            .text("self-signed")
            .integer(2)
            .text("self-signed")
            .integer(-4670552)
            .bytes(key.publicKey().encode())
            .integer(-4670553)
            .bytes(new byte[] {0x20})
            .toByteArray();
    byte[] certificate = CoseSign1.sign(key, ByteSlice.takeOver(payload), ByteSlice.EMPTY);
    return CborArray.of(
        CborReader.decode(key.publicKey().encode()), CborReader.decode(certificate));
  }

  @Test
  void refusesTheRequestWithAChangedByteInItsCiphertext() {
    assertThat(refusal(Vectors.slice("hwtrust/csr/bad_csr.cbor"), RULES))
        .hasMessageContaining("do not decrypt");
  }

  @Test
  void acceptsTheRequestOfVersion3() {
    ProvisioningRequest verified = ProvisioningRequest.verify(base64("csr/v3_csr.base64"), RULES);
    assertThat(verified.version()).isEqualTo(3);
    assertThat(verified.certificateType()).isEqualTo("keymint");
    assertThat(verified.deviceInfo().text("brand")).hasValue("Google");
    assertThat(verified.warnings()).containsExactly("a key to sign holds its private key");
  }

  @Test
  void acceptsTheRealRequestOfTheServiceVm() {
    ProvisioningRequest verified =
        ProvisioningRequest.verify(Vectors.slice("hwtrust/csr/v3_csr_avf.cbor"), AVF);
    assertThat(verified.certificateType()).isEqualTo("rkp-vm");
    assertThat(verified.deviceInfo().isAvf()).isTrue();
    assertThat(verified.chain().certificates()).hasSize(7);
  }

  @Test
  void refusesTheServiceVmForOtherRules() {
    ByteSlice request = Vectors.slice("hwtrust/csr/v3_csr_avf.cbor");
    assertThat(refusal(request, RULES)).isNotNull();
    assertThat(refusal(request, RULES.withChain(DiceChainRules.DEFAULT.withAnyMode(true))))
        .hasMessageContaining("RKP VM");
    assertThat(refusal(request, AVF.withChallenge(ByteSlice.ofHex("00"))))
        .hasMessageContaining("not the one that was issued");
  }

  @ParameterizedTest
  @ValueSource(strings = {"v3_ed25519_valid", "v3_p256_valid", "v3_p256_valid_with_uds_certs"})
  void acceptsFactoryFiles(String name) {
    assertThat(FactoryRequests.verify(text("factory_csr/" + name + ".json"), RULES)).hasSize(1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"v2_ed25519_valid", "v2_p256_valid", "all_versions_valid"})
  void acceptsFactoryFilesOfVersion2WhoseChainsAreDegenerate(String name) {
    String file = text("factory_csr/" + name + ".json");
    assertThat(FactoryRequests.verify(file, RULES)).isNotEmpty();
    assertThatExceptionOfType(RemoteAttestationException.class)
        .isThrownBy(() -> FactoryRequests.verify(file, RULES.withDegenerateInVersion2(false)))
        .withMessageContaining("self-signed");
  }

  @Test
  void selectsTheInstanceByTheNameInAFactoryFile() {
    String file = text("factory_csr/v3_avf_valid_with_rkpvm_markers.json");
    RequestRules anyMode = RULES.withChain(DiceChainRules.DEFAULT.withAnyMode(true));
    assertThat(FactoryRequests.verify("\n" + file + "\n\n", anyMode))
        .singleElement()
        .satisfies(
            entry -> {
              assertThat(entry.instance()).isEqualTo(RkpInstance.AVF);
              assertThat(entry.line()).isEqualTo(2);
            });
  }

  @ParameterizedTest
  @ValueSource(strings = {"v3_p256_extra_uds_cert_in_chain", "v3_p256_with_corrupted_payload"})
  void refusesBrokenFactoryFiles(String name) {
    assertThatExceptionOfType(RemoteAttestationException.class)
        .isThrownBy(() -> FactoryRequests.verify(text("factory_csr/" + name + ".json"), RULES))
        .withMessageContaining("line 1");
  }

  @Test
  void refusesCertificatesOfTheDeviceKeyThatAreNotValidYet() {
    String file = text("factory_csr/v3_p256_valid_with_uds_certs.json");
    RequestRules before = RequestRules.of(DiceChainRules.DEFAULT, Instant.EPOCH);
    assertThatExceptionOfType(RemoteAttestationException.class)
        .isThrownBy(() -> FactoryRequests.verify(file, before))
        .withMessageContaining("valid only from");
  }

  /** The request of a factory file with one of its unsigned items replaced. */
  private static ByteSlice withItem(String name, int index, CborValue item) {
    List<CborValue> items = new ArrayList<>(items(name));
    items.set(index, item);
    return CborArray.of(items).encoded();
  }

  private static List<CborValue> items(String name) {
    String json = text("factory_csr/" + name + ".json");
    String csr = json.split("\"csr\":\"")[1].split("\"")[0];
    return CborReader.decode(Base64.getDecoder().decode(csr)).asArray().items();
  }

  @Test
  void refusesCertificatesOfAnotherDeviceKey() {
    CborValue other = items("v3_p256_valid_with_uds_certs").get(1);
    assertThat(refusal(withItem("v3_ed25519_valid", 1, other), RULES))
        .hasMessageContaining("another key than the root of the chain");
    assertThat(refusal(withItem("v3_p256_valid", 1, CborMap.EMPTY), RULES)).isNull();
  }

  @Test
  void refusesAPrivateKeyInTheChain() {
    List<CborValue> chain = new ArrayList<>(items("v3_p256_valid").get(2).asArray().items());
    CborMap.Builder key = CborMap.builder();
    chain.get(0).asMap().entries().forEach(entry -> key.put(entry.key(), entry.value()));
    chain.set(0, key.put(-4, CborValue.of(new byte[32])).build());
    assertThat(refusal(withItem("v3_p256_valid", 2, CborArray.of(chain)), RULES))
        .hasMessageContaining("label it must not hold");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "[]",
        "{",
        "{}",
        "{\"csr\":\"\"}",
        "{\"csr\":\"AA==\",\"name\":\"default\"} {}",
        "{\"csr\":\"AA==\",\"name\":\"nobody\"}",
        "{\"csr\":\"A\",\"name\":\"default\"}",
        "{\"csr\":1,\"name\":\"default\"}",
        "{\"csr\":\"AA==\",\"csr\":\"AA==\",\"name\":\"default\"}",
        "{\"csr\":\"AA==\",\"name\":\"default\"}"
      })
  void refusesMalformedFactoryFiles(String file) {
    assertThatExceptionOfType(RemoteAttestationException.class)
        .isThrownBy(() -> FactoryRequests.verify(file, RULES));
  }

  @Test
  void refusesFlippedBitsOfARequest() {
    byte[] bytes = Vectors.bytes("hwtrust/csr/v3_csr_avf.cbor");
    for (int i = 0; i < bytes.length; i += 19) {
      byte[] changed = bytes.clone();
      changed[i] ^= (byte) (1 << i % 8);
      assertThat(refusal(ByteSlice.takeOver(changed), AVF)).as("byte %d", i).isNotNull();
    }
  }

  @Test
  void acceptsTheRequestThatTheServiceVmHereMakes() {
    DiceHandover service = new SampleDevice("device").serviceVm();
    ByteSlice challenge = ByteSlice.ofHex("0123");
    try (RkpKeys keys = new RkpKeys(service.cdis().seal());
        CosePrivateKey leafKey = SampleDevice.leafKey(service)) {
      List<ByteSlice> maced =
          List.of(keys.generate().macedPublicKey(), keys.generate().macedPublicKey());
      ByteSlice request =
          RkpVmCsr.make(
              SampleDevice.chain(service),
              leafKey,
              keys,
              maced,
              challenge,
              AospRevision.MARCH_2025);
      ProvisioningRequest verified =
          ProvisioningRequest.verify(
              request,
              RULES
                  .withChain(DiceChainRules.DEFAULT.withInstance(RkpInstance.AVF))
                  .withChallenge(challenge));
      assertThat(verified.chain().isNormalMode()).isTrue();
      assertThat(verified.warnings()).isEmpty();
      ProvisioningRequest real =
          ProvisioningRequest.verify(Vectors.slice("hwtrust/csr/v3_csr_avf.cbor"), AVF);
      assertThat((CborValue) verified.deviceInfo().entries())
          .isEqualTo(real.deviceInfo().entries());
    }
  }
}
