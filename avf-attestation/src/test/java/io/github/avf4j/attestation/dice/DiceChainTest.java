package io.github.avf4j.attestation.dice;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.avf4j.attestation.Vectors;
import io.github.avf4j.attestation.cbor.CborReader;
import io.github.avf4j.attestation.cbor.CborValue;
import java.util.Arrays;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class DiceChainTest {
  private static final DiceChainRules ANY_MODE = DiceChainRules.DEFAULT.withAnyMode(true);

  private static DiceChain chain(String name) {
    return DiceChain.decode(Vectors.slice(name));
  }

  private static DiceException refusal(DiceChain chain, DiceChainRules rules) {
    return catchThrowableOfType(DiceException.class, () -> chain.verify(rules));
  }

  @Test
  void verifiesTheSampleChainOfAvf() {
    VerifiedDiceChain verified =
        chain("avf/sample_chain_jan2025.cbor").verify(DiceChainRules.DEFAULT.withDerivedIds(true));

    assertThat(verified.warnings()).isEmpty();
    assertThat(verified.isNormalMode()).isTrue();
    assertThat(verified.certificates())
        .extracting(DiceCertificate::componentName)
        .containsExactly(Optional.of("ABL"), Optional.of("AVB"), Optional.of("Android"));
    assertThat(verified.leafKey().raw().toHex())
        .isEqualTo("dbe75b3fa342b09cf8408cb09cf00aafdf6fe509211192e1f8c509023d1fb7c5");
  }

  @Test
  void keepsTheExactBytesOfTheChain() {
    byte[] bytes = Vectors.bytes("avf/sample_chain_jan2025.cbor");
    assertThat(DiceChain.decode(bytes).encoded().toByteArray()).isEqualTo(bytes);
  }

  @Test
  void acceptsTheEd25519ChainOfHwtrustInAnyMode() {
    assertThat(chain("hwtrust/dice/valid_ed25519.chain").verify(ANY_MODE).certificates())
        .hasSize(8);
  }

  @Test
  void refusesTheEd25519ChainOfHwtrustForItsDebugLayers() {
    DiceException e = refusal(chain("hwtrust/dice/valid_ed25519.chain"), DiceChainRules.DEFAULT);
    assertThat(e.rule()).isEqualTo(DiceRule.MODE);
    assertThat(e.certificate()).hasValue(1);
  }

  @Test
  void acceptsTheP256ChainOfHwtrust() {
    VerifiedDiceChain verified =
        chain("hwtrust/dice/valid_p256.chain").verify(DiceChainRules.DEFAULT);
    assertThat(verified.certificates()).hasSize(3);
  }

  @Test
  void refusesABadLastSignature() {
    DiceException p256 = refusal(chain("hwtrust/dice/bad_p256.chain"), ANY_MODE);
    assertThat(p256.rule()).isEqualTo(DiceRule.SIGNATURE);
    assertThat(p256.certificate()).hasValue(2);
    DiceException ed25519 = refusal(chain("hwtrust/dice/bad_final_signature.chain"), ANY_MODE);
    assertThat(ed25519.rule()).isEqualTo(DiceRule.SIGNATURE);
    assertThat(ed25519.certificate()).hasValue(7);
  }

  @Test
  void tellsTheChainOfTheServiceVmFromOthers() {
    CborValue csr = CborReader.decode(Vectors.slice("hwtrust/csr/v3_csr_avf.cbor"));
    DiceChain chain = DiceChain.parse(csr.asArray().get(2));
    VerifiedDiceChain verified = chain.verify(ANY_MODE.withInstance(RkpInstance.AVF));
    assertThat(chain.leaf().componentName()).hasValue("vm_entry");
    assertThat(verified.isNormalMode()).isFalse();
    assertThat(refusal(chain, ANY_MODE).rule()).isEqualTo(DiceRule.RKP_VM_MARKER);
  }

  @Test
  void acceptsAChainOfMicrodroid() {
    JsonNode policy = Vectors.json("avf/sealing_policy_computed.json");
    DiceChain chain = DiceChain.decode(Vectors.hex(policy, "dice_chain"));
    chain.verify(DiceChainRules.DEFAULT.withDerivedIds(true));
    assertThat(chain.leaf().componentName()).hasValue("Microdroid payload");
  }

  @Test
  void refusesEveryFlippedBit() {
    byte[] bytes = Vectors.bytes("avf/sample_chain_jan2025.cbor");
    for (int i = 0; i < bytes.length; i++) {
      byte[] changed = bytes.clone();
      changed[i] ^= (byte) (1 << i % 8);
      DiceException e =
          catchThrowableOfType(
              DiceException.class, () -> DiceChain.decode(changed).verify(ANY_MODE));
      assertThat(e).as("bit %d of byte %d flipped", i % 8, i).isNotNull();
    }
  }

  @Test
  void refusesEveryShorterChain() {
    byte[] bytes = Vectors.bytes("avf/sample_chain_jan2025.cbor");
    for (int length = 0; length < bytes.length; length++) {
      byte[] cut = Arrays.copyOf(bytes, length);
      assertThat(catchThrowableOfType(DiceException.class, () -> DiceChain.decode(cut)))
          .as("cut to %d bytes", length)
          .isNotNull();
    }
  }
}
