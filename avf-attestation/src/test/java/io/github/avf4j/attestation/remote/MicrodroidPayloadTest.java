package io.github.avf4j.attestation.remote;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.SecretBytes;
import io.github.avf4j.attestation.Vectors;
import io.github.avf4j.attestation.dice.Cdis;
import io.github.avf4j.attestation.dice.DiceInput;
import io.github.avf4j.attestation.dice.DiceMode;
import java.math.BigInteger;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MicrodroidPayloadTest {
  private static final JsonNode VECTOR = Vectors.json("avf/microdroid_derivation_computed.json");

  private static MicrodroidPayload payload(AospRevision revision) {
    JsonNode apk = VECTOR.required("apk");
    JsonNode apex = VECTOR.required("apex");
    return MicrodroidPayload.ofConfigPath(revision, VECTOR.required("config_path").textValue())
        .apk(
            apk.required("package").textValue(),
            apk.required("version").longValue(),
            Vectors.hex(apk, "root_hash"),
            Vectors.hex(apk, "cert_hash"))
        .apex(
            apex.required("manifest_name").textValue(),
            apex.required("manifest_version").longValue(),
            Vectors.hex(apex, "root_digest"),
            Vectors.slice("avb/com.android.virt.avbpubkey"))
        .build();
  }

  @ParameterizedTest
  @CsvSource({"JANUARY_2025,jan2025", "MARCH_2025,mar2025"})
  void derivesTheLayerOfThePayload(AospRevision revision, String name) {
    JsonNode expected = VECTOR.required(name);
    MicrodroidPayload payload = payload(revision);
    DiceInput input = payload.input(DiceMode.NORMAL, new byte[64]);

    assertThat(payload.config().encoded()).isEqualTo(Vectors.hex(expected, "config_descriptor"));
    assertThat(input.codeHash()).isEqualTo(Vectors.hex(expected, "code_hash"));
    assertThat(input.authorityHash()).isEqualTo(Vectors.hex(expected, "authority_hash"));
    try (SecretBytes attest = secret(VECTOR, "parent_cdi_attest");
        SecretBytes seal = secret(VECTOR, "parent_cdi_seal");
        Cdis parent = Cdis.copyOf(attest, seal);
        Cdis next = parent.next(input)) {
      assertThat(next.attest()).isEqualTo(secret(expected, "cdi_attest"));
      assertThat(next.seal()).isEqualTo(secret(expected, "cdi_seal"));
    }
  }

  private static SecretBytes secret(JsonNode node, String field) {
    return SecretBytes.takeOver(Vectors.hex(node, field).toByteArray());
  }

  @ParameterizedTest
  @CsvSource({"JANUARY_2025,jan2025", "MARCH_2025,mar2025"})
  void writesTheDescriptorsOfTheReference(AospRevision revision, String name) {
    JsonNode expected = Vectors.json("avf/microdroid_config_descriptors.json").required(name);
    ByteSlice certs = ByteSlice.ofHex("11");
    List<MicrodroidPayload> payloads =
        List.of(
            MicrodroidPayload.ofConfigPath(revision, "/config_path").build(),
            MicrodroidPayload.ofBinaryName(revision, "payload_binary").build());
    for (int i = 0; i < payloads.size(); i++) {
      assertThat(payloads.get(i).config().encoded().toHex())
          .isEqualTo(expected.required(i).textValue());
    }
    VmComponent first = new VmComponent("apk1", BigInteger.ONE, ByteSlice.ofHex("2a2b"), certs);
    VmComponent second =
        new VmComponent(
            "apk2",
            BigInteger.valueOf(0x100000000001L),
            ByteSlice.ofHex("2b"),
            ByteSlice.ofHex("1314"));
    assertThat(expected.required(2).textValue())
        .contains(VmComponent.list(List.of(first, second)).encoded().toHex());
  }

  @ParameterizedTest
  @CsvSource({"JANUARY_2025", "MARCH_2025"})
  void readsBackItsComponents(AospRevision revision) {
    MicrodroidPayload payload = payload(revision);
    assertThat(VmComponent.of(payload.config())).isEqualTo(payload.components());
  }
}
