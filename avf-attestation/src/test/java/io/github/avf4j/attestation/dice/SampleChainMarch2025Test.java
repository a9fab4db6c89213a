package io.github.avf4j.attestation.dice;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.SecretBytes;
import io.github.avf4j.attestation.Vectors;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * The sample chain of AVF in March 2025: the layers of January with security versions and profile
 * name android.16. The expected secrets and ids are those of the reference text.
 */
class SampleChainMarch2025Test {
  private record Layer(String config, String attest, String seal, String issuer, String subject) {}

  private static final List<Layer> LAYERS =
      List.of(
          new Layer(
              "a43a000111716341424c3a00011172013a00011173f63a000111740a",
              "7b489e122c643a65410d68b8390fb63bae882542d3765c0af957f12db553816f",
              "742b74f1a2614e94e5ee65166e1056a9d4fa1f08a0f0f1116bc784b7797b3b3c",
              "42d8864f97b6547a50c1e0a749f8ef8b81ec62af",
              "4aafa80b0b0c134d16e6056f0552bee38a770e5b"),
          new Layer(
              "a43a00011171634156423a00011172013a00011173f63a000111740b",
              "a56a574187164d53dd044dbd563f17c892e2255dab135a64b8301f3f6760caea",
              "f687220e58036bfc1f3e4a35f70c3e981060c1245205b5bd164bdad02ac04d3a",
              "4aafa80b0b0c134d16e6056f0552bee38a770e5b",
              "1aa2ed3c3a56b6ca759c524ec88a5730a38ad1f6"),
          new Layer(
              "a43a0001117167416e64726f69643a000111720c3a00011173f63a000111740c",
              "b213de86f7407bd52021744e75781acb22571c32a41ec923735b9c6b5f6b2dc0",
              "361bd2b3c4da77b29cba39538293d9b89f732d270615a8cb6d1df2b154bb62f1",
              "1aa2ed3c3a56b6ca759c524ec88a5730a38ad1f6",
              "6a88a1b41595f7f619541e939816d59b2a7ba311"));

  @Test
  void makesTheChain() {
    var january = Vectors.json("avf/sample_chain_jan2025.json");
    SecretBytes uds = SecretBytes.takeOver(Vectors.hex(january, "uds").toByteArray());
    DiceHandover handover = DiceHandover.of(Cdis.ofUniqueDeviceSecret(uds), null);
    for (int i = 0; i < LAYERS.size(); i++) {
      Layer layer = LAYERS.get(i);
      var inputs = january.required("layers").required(i);
      handover =
          handover.next(
              DiceInput.builder()
                  .codeHash(Vectors.hex(inputs, "code_hash"))
                  .config(ConfigDescriptor.decode(ByteSlice.ofHex(layer.config())))
                  .authorityHash(Vectors.hex(inputs, "authority_hash"))
                  .mode(DiceMode.NORMAL)
                  .hidden(Vectors.hex(inputs, "hidden").toByteArray())
                  .build(),
              DiceCertificateIssuer.of(AndroidProfile.ANDROID_16));
      assertThat(hexOf(handover.cdis().attest())).isEqualTo(layer.attest());
      assertThat(hexOf(handover.cdis().seal())).isEqualTo(layer.seal());
      DiceCertificate leaf = handover.chain().orElseThrow().leaf();
      assertThat(leaf.issuer()).hasValue(layer.issuer());
      assertThat(leaf.subject()).hasValue(layer.subject());
    }
    DiceChain chain = handover.chain().orElseThrow();
    assertThat(chain.encoded().length()).isEqualTo(1526);
    DiceChainRules strict =
        DiceChainRules.DEFAULT
            .withProfiles(AndroidProfile.ANDROID_16, AndroidProfile.ANDROID_16)
            .withDerivedIds(true);
    assertThat(chain.verify(strict).warnings()).isEmpty();
  }

  private static String hexOf(SecretBytes secret) {
    return HexFormat.of().formatHex(secret.toByteArray());
  }
}
