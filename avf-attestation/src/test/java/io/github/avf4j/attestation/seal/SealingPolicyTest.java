package io.github.avf4j.attestation.seal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.SampleDevice;
import io.github.avf4j.attestation.Vectors;
import io.github.avf4j.attestation.dice.DiceChain;
import io.github.avf4j.attestation.dice.DiceMode;
import io.github.avf4j.attestation.dice.ExplicitKeyChain;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SealingPolicyTest {
  private static final JsonNode VECTOR = Vectors.json("avf/sealing_policy_computed.json");
  private static final SampleDevice DEVICE = new SampleDevice("device");

  private static ExplicitKeyChain chain(
      SampleDevice device, String instance, int kernel, long apk) {
    return ExplicitKeyChain.of(SampleDevice.chain(device.clientVm(instance, kernel, apk)));
  }

  private static SealingPolicy policy(int kernel, long apk) {
    return SealingPolicy.forMicrodroid(SampleDevice.chain(DEVICE.clientVm("a", kernel, apk)));
  }

  @Test
  void makesThePolicyOfMicrodroidByteForByte() {
    DiceChain chain = DiceChain.decode(Vectors.hex(VECTOR, "dice_chain"));
    assertThat(ExplicitKeyChain.of(chain).encoded())
        .isEqualTo(Vectors.hex(VECTOR, "explicit_key_chain"));

    SealingPolicy policy = SealingPolicy.forMicrodroid(chain);

    assertThat(policy.encoded().toHex()).isEqualTo(VECTOR.required("sealing_policy").textValue());
    assertThat(SealingPolicy.decode(policy.encoded()).nodes()).isEqualTo(policy.nodes());
    assertThat(policy.matches(ExplicitKeyChain.of(chain))).isTrue();
  }

  @Test
  void acceptsTheSameAndNewerVersions() {
    SealingPolicy policy = policy(2, 7);
    assertThat(policy.matches(chain(DEVICE, "a", 2, 7))).isTrue();
    assertThat(policy.matches(chain(DEVICE, "a", 3, 7))).isTrue();
    assertThat(policy.matches(chain(DEVICE, "a", 2, 8))).isTrue();
  }

  @Test
  void refusesOlderVersions() {
    SealingPolicy policy = policy(2, 7);
    assertThat(policy.mismatch(chain(DEVICE, "a", 1, 7)))
        .hasValueSatisfying(why -> assertThat(why).contains("item 4").contains("-70005"));
    assertThat(policy.mismatch(chain(DEVICE, "a", 2, 6)))
        .hasValueSatisfying(why -> assertThat(why).contains("-71002"));
  }

  @Test
  void refusesAnotherInstanceModeDeviceAndLength() {
    SealingPolicy policy = policy(2, 7);
    assertThat(policy.matches(chain(DEVICE, "b", 2, 7))).isFalse();
    assertThat(policy.matches(chain(new SampleDevice("other"), "a", 2, 7))).isFalse();
    assertThat(
            policy.matches(
                ExplicitKeyChain.of(
                    SampleDevice.chain(DEVICE.clientVm("a", 2, 7, DiceMode.DEBUG)))))
        .isFalse();
    assertThat(policy.matches(ExplicitKeyChain.of(SampleDevice.chain(DEVICE.serviceVm()))))
        .isFalse();
  }

  @Test
  void comparesVersionsBeyond63Bits() {
    SealingPolicy policy = policy(2, -2);
    assertThat(policy.matches(chain(DEVICE, "a", 2, -1))).isTrue();
    assertThat(policy.matches(chain(DEVICE, "a", 2, Long.MAX_VALUE))).isFalse();
  }

  @Test
  void refusesToSealForAPayloadWithoutComponents() {
    DiceChain chain = DiceChain.decode(Vectors.slice("avf/sample_chain_jan2025.cbor"));
    assertThat(SealingPolicy.forMicrodroid(chain).nodes()).hasSize(5);
    PolicyRule impossible =
        new PolicyRule(
            Constraint.Kind.EXACT_MATCH, java.util.List.of(-1L), java.util.Optional.empty(), true);
    assertThatExceptionOfType(SealException.class)
        .isThrownBy(
            () -> SealingPolicy.forChain(ExplicitKeyChain.of(chain), java.util.List.of(impossible)))
        .withMessageContaining("no value at [-1]");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "80",
        "8102",
        "8101ff",
        "820180",
        "8201818301",
        "8201818303800a",
        "820181830180",
        "82018183024041ff",
        "82018183028041ff",
        "82018183018161610a",
        "a0"
      })
  void refusesMalformedPolicies(String hex) {
    if (hex.equals("820180")) {
      assertThat(SealingPolicy.decode(ByteSlice.ofHex(hex)).nodes()).hasSize(1);
      return;
    }
    assertThatExceptionOfType(SealException.class)
        .isThrownBy(() -> SealingPolicy.decode(ByteSlice.ofHex(hex)));
  }
}
