package io.github.avf4j.attestation.dice;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.Fuzzing;

class DiceFuzzTest {
  @FuzzTest(maxDuration = "5m")
  void verifiesChains(byte[] data) {
    Fuzzing.parse(
        data,
        bytes ->
            DiceChain.decode(bytes)
                .verify(DiceChainRules.DEFAULT.withAnyMode(true).withDegenerate(true)));
  }

  @FuzzTest(maxDuration = "5m")
  void drawsChains(byte[] data) {
    Fuzzing.parse(
        data,
        bytes -> {
          String tree = DiceChainTree.draw(DiceChain.decode(bytes));
          if (tree.chars().anyMatch(c -> c != '\n' && Character.isISOControl(c))) {
            throw new AssertionError("a control character reaches the terminal");
          }
        });
  }

  @FuzzTest(maxDuration = "5m")
  void parsesHandovers(byte[] data) {
    Fuzzing.parse(data, bytes -> DiceHandover.parse(bytes).close());
  }

  @FuzzTest(maxDuration = "5m")
  void decodesConfigDescriptors(byte[] data) {
    Fuzzing.parse(data, bytes -> ConfigDescriptor.decode(ByteSlice.copyOf(bytes)));
  }

  @FuzzTest(maxDuration = "5m")
  void convertsToExplicitKeys(byte[] data) {
    Fuzzing.parse(
        data,
        bytes -> {
          ExplicitKeyChain converted = ExplicitKeyChain.of(ByteSlice.copyOf(bytes));
          if (!ExplicitKeyChain.decode(converted.encoded()).equals(converted)) {
            throw new AssertionError("a converted chain decodes to another one");
          }
        });
  }
}
