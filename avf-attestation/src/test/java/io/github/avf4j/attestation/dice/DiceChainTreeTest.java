package io.github.avf4j.attestation.dice;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.avf4j.attestation.Vectors;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

class DiceChainTreeTest {
  @Test
  void drawsEveryLayerBelowTheOneBefore() {
    String tree =
        DiceChainTree.draw(DiceChain.decode(Vectors.slice("avf/sample_chain_jan2025.cbor")));
    assertThat(tree)
        .startsWith("root key EdDSA 3e85e5727555e51e… (32 bytes)\n└─ ABL version 1 [normal]\n")
        .contains("\n   └─ AVB version 1 [normal]\n")
        .contains("\n      └─ Android version 12 [normal]\n")
        .contains("\n         subject    5d4ed7f417a954a181407b5885afd72a5bf40da6\n")
        .contains("\n   code       1648f2555323dd15… (64 bytes)\n");
  }

  @Test
  void escapesWhatATerminalWouldActOn() {
    String name = "a\u001b[31m\n\u202eb" + "x".repeat(100);
    byte[] utf8 = name.getBytes(StandardCharsets.UTF_8);
    String config =
        "a23a00011171"
            + "78"
            + HexFormat.of().toHexDigits((byte) utf8.length)
            + HexFormat.of().formatHex(utf8)
            + "3a0001117401";
    String tree = DiceChainTree.draw(new TestChain().add(layer -> layer.config(config)).build());
    assertThat(tree).contains("└─ a\\u{1b}[31m\\u{a}\\u{202e}bxx").contains("xx…,");
    assertThat(tree).doesNotContain("\u001b").doesNotContain("\u202e");
  }
}
