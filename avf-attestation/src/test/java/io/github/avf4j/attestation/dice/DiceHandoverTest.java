package io.github.avf4j.attestation.dice;

import static io.github.avf4j.attestation.Vectors.hex;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.SecretBytes;
import io.github.avf4j.attestation.Vectors;
import io.github.avf4j.attestation.cose.CoseAlgorithm;
import io.github.avf4j.attestation.cose.CosePrivateKey;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class DiceHandoverTest {
  private static final JsonNode SAMPLE = Vectors.json("avf/sample_chain_jan2025.json");

  private static DiceHandover sample() {
    return DiceHandover.parse(hex(SAMPLE, "handover").toByteArray());
  }

  @Test
  void makesTheSampleChainOfAvfFromItsDeviceSecret() {
    SecretBytes uds = SecretBytes.takeOver(hex(SAMPLE, "uds").toByteArray());
    DiceHandover handover = DiceHandover.of(Cdis.ofUniqueDeviceSecret(uds), null);
    for (JsonNode layer : SAMPLE.required("layers")) {
      handover = handover.next(input(layer), DiceCertificateIssuer.NO_PROFILE);
      assertThat(handover.cdis().attest().toByteArray())
          .isEqualTo(hex(layer, "next_cdi_attest").toByteArray());
      assertThat(handover.cdis().seal().toByteArray())
          .isEqualTo(hex(layer, "next_cdi_seal").toByteArray());
      assertThat(handover.chain().orElseThrow().leaf().encoded())
          .isEqualTo(hex(layer, "certificate"));
    }
    assertThat(handover.chain().orElseThrow().encoded())
        .isEqualTo(Vectors.slice("avf/sample_chain_jan2025.cbor"));
    assertThat(handover.encode().toByteArray()).isEqualTo(hex(SAMPLE, "handover").toByteArray());
  }

  private static DiceInput input(JsonNode layer) {
    ConfigDescriptor.Builder config =
        ConfigDescriptor.builder()
            .componentName(layer.required("name").textValue())
            .componentVersion(layer.required("component_version").asLong())
            .resettable();
    assertThat(config.build().encoded()).isEqualTo(hex(layer, "config_descriptor"));
    return DiceInput.builder()
        .codeHash(hex(layer, "code_hash"))
        .config(config.build())
        .authorityHash(hex(layer, "authority_hash"))
        .mode(DiceMode.ofValue(layer.required("mode").asInt()))
        .hidden(hex(layer, "hidden").toByteArray())
        .build();
  }

  @Test
  void readsARealHandover() {
    byte[] bytes = Vectors.bytes("avf/pvmfw_test_handover.cbor");
    try (DiceHandover handover = DiceHandover.parse(bytes)) {
      DiceChain chain = handover.chain().orElseThrow();
      chain.verify(DiceChainRules.DEFAULT.withAnyMode(true));
      assertThat(chain.certificates()).hasSize(2);
      assertThat(chain.certificates()).extracting(DiceCertificate::mode).contains(DiceMode.DEBUG);
      assertThat(handover.encode().toByteArray()).isEqualTo(bytes);
      try (CosePrivateKey key = DiceKeys.keyPair(CoseAlgorithm.ED25519, handover.cdis().attest())) {
        assertThat(key.publicKey()).isEqualTo(chain.leaf().subjectPublicKey());
      }
    }
  }

  @Test
  void ignoresThePaddingOfThePage() {
    byte[] bytes = hex(SAMPLE, "handover").toByteArray();
    DiceHandover padded = DiceHandover.parse(Arrays.copyOf(bytes, 4096));
    assertThat(padded.encode().toByteArray()).isEqualTo(bytes);
  }

  @Test
  void readsAndWritesAHandoverWithoutAChain() {
    byte[] bytes = Arrays.copyOf(hex(SAMPLE, "handover").toByteArray(), 71);
    bytes[0] = (byte) 0xa2;
    DiceHandover handover = DiceHandover.parse(bytes);
    assertThat(handover.chain()).isEmpty();
    assertThat(handover.encode().toByteArray()).isEqualTo(bytes);
  }

  @Test
  void appendsToALongChainWithoutTouchingIt() {
    DiceHandover handover = sample();
    for (int i = 0; i < 30; i++) {
      ByteSlice before = handover.chain().orElseThrow().encoded();
      handover =
          handover.next(
              DiceInput.builder()
                  .codeHash(ByteSlice.takeOver(new byte[64]))
                  .config(ConfigDescriptor.builder().securityVersion(i).build())
                  .authorityHash(ByteSlice.takeOver(new byte[64]))
                  .mode(DiceMode.NORMAL)
                  .build(),
              DiceCertificateIssuer.of(AndroidProfile.ANDROID_16));
      int head = before.length() > 0 && handover.chain().orElseThrow().items().size() > 23 ? 2 : 1;
      int oldHead = handover.chain().orElseThrow().items().size() > 24 ? 2 : 1;
      ByteSlice after = handover.chain().orElseThrow().encoded();
      assertThat(after.slice(head, head + before.length() - oldHead))
          .isEqualTo(before.slice(oldHead));
    }
    DiceChain chain = handover.chain().orElseThrow();
    chain.verify(DiceChainRules.DEFAULT.withDerivedIds(true));
    assertThat(chain.certificates()).hasSize(33);
  }

  @Test
  void refusesEveryShorterHandoverWithAPosition() {
    byte[] bytes = hex(SAMPLE, "handover").toByteArray();
    for (int length = 0; length < bytes.length; length++) {
      byte[] cut = Arrays.copyOf(bytes, length);
      DiceException e = catchThrowableOfType(DiceException.class, () -> DiceHandover.parse(cut));
      assertThat(e).as("cut to %d bytes", length).isNotNull();
      assertThat(e.position().orElseThrow()).isBetween(0L, (long) length);
    }
  }

  @Test
  void refusesWrongOrderAndSizes() {
    byte[] bytes = hex(SAMPLE, "handover").toByteArray();
    for (int at : new int[] {0, 1, 2, 3, 36, 37, 38, 71}) {
      byte[] changed = bytes.clone();
      changed[at] ^= 0x08;
      assertThatThrownBy(() -> DiceHandover.parse(changed)).isInstanceOf(DiceException.class);
    }
  }

  @Test
  void neverPrintsASecret() {
    DiceHandover handover = sample();
    String attest = SAMPLE.required("final_cdi_attest").textValue();
    assertThat(handover.toString() + handover.cdis() + handover.cdis().attest())
        .doesNotContain(attest.substring(0, 8));
  }

  @Test
  void wipesItsSecretsWhenClosed() {
    DiceHandover handover = sample();
    handover.close();
    assertThatThrownBy(() -> handover.cdis().attest().toByteArray())
        .isInstanceOf(IllegalStateException.class);
    assertThat(handover.cdis().seal().isClosed()).isTrue();
  }
}
