package io.github.avf4j.attestation.dice;

import static io.github.avf4j.attestation.Vectors.hex;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.Vectors;
import org.junit.jupiter.api.Test;

class ExplicitKeyChainTest {
  @Test
  void convertsTheChainOfTheReference() {
    var vector = Vectors.json("avf/secretkeeper_explicit_key.json");
    assertThat(ExplicitKeyChain.of(hex(vector, "chain_in")).encoded())
        .isEqualTo(hex(vector, "explicit_key_chain"));
  }

  @Test
  void convertsAChainOfMicrodroid() {
    var vector = Vectors.json("avf/sealing_policy_computed.json");
    ExplicitKeyChain converted = ExplicitKeyChain.of(hex(vector, "dice_chain"));
    assertThat(converted.encoded()).isEqualTo(hex(vector, "explicit_key_chain"));
    assertThat(ExplicitKeyChain.decode(hex(vector, "explicit_key_chain"))).isEqualTo(converted);
  }

  @Test
  void refusesARootKeyThatIsNotCanonical() {
    assertThatThrownBy(
            () -> ExplicitKeyChain.decode(ByteSlice.ofHex("82014ca461610103261904d2010101")))
        .isInstanceOf(DiceException.class);
  }

  @Test
  void refusesWhatIsNotAChain() {
    for (String hex : new String[] {"80", "8101", "a0", "", "81a1", "8201 41a0".replace(" ", "")}) {
      assertThatThrownBy(() -> ExplicitKeyChain.of(ByteSlice.ofHex(hex)))
          .isInstanceOf(DiceException.class);
    }
  }
}
