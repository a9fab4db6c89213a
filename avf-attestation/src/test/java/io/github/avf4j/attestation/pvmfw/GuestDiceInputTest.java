package io.github.avf4j.attestation.pvmfw;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.SecretBytes;
import io.github.avf4j.attestation.Vectors;
import io.github.avf4j.attestation.avb.AvbPublicKey;
import io.github.avf4j.attestation.dice.ConfigDescriptor;
import io.github.avf4j.attestation.dice.DiceCertificateIssuer;
import io.github.avf4j.attestation.dice.DiceHandover;
import io.github.avf4j.attestation.dice.DiceInput;
import io.github.avf4j.attestation.dice.DiceMode;
import java.util.HexFormat;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class GuestDiceInputTest {
  static final DiceCertificateIssuer ISSUER = DiceCertificateIssuer.NO_PROFILE;
  private static final JsonNode VECTOR = Vectors.json("avf/pvmfw_derivation_computed.json");

  static DiceInput someInput() {
    return DiceInput.builder()
        .codeHash(ByteSlice.takeOver(new byte[64]))
        .authorityHash(ByteSlice.takeOver(new byte[64]))
        .mode(DiceMode.NORMAL)
        .config(ConfigDescriptor.builder().componentName("x").build())
        .build();
  }

  static Stream<JsonNode> cases() {
    return StreamSupport.stream(VECTOR.required("cases").spliterator(), false);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void derivesFromTheKnownInputs(JsonNode expected) {
    ByteSlice hash = Vectors.hex(VECTOR, "instance_hash");
    assertThat(GuestDiceInput.instanceHash(Vectors.hex(VECTOR, "instance_id"))).isEqualTo(hash);
    JsonNode initrd = expected.get("initrd_digest");
    VerifiedPayload payload =
        new VerifiedPayload(
            expected.get("mode").intValue() == 2,
            Vectors.hex(expected, "kernel_digest"),
            initrd == null || initrd.isNull() || ByteSlice.ofHex(initrd.textValue()).isAllZero()
                ? Optional.empty()
                : Optional.of(ByteSlice.ofHex(initrd.textValue())),
            AvbPublicKey.parse(Vectors.slice("avb/keys/testkey_rsa4096_pub.bin")),
            0,
            expected.get("rkp_vm_marker").booleanValue()
                ? Set.of(Capability.REMOTE_ATTEST)
                : Set.of(),
            expected.get("rollback_index").longValue(),
            OptionalInt.empty(),
            Optional.empty(),
            ByteSlice.EMPTY);
    DiceInput input =
        GuestDiceInput.of(
            payload,
            Optional.of(hash),
            Vectors.hex(expected, "salt"),
            expected.get("deferred_rollback_protection").booleanValue());
    assertThat(input.codeHash()).isEqualTo(Vectors.hex(expected, "code_hash"));
    assertThat(input.authorityHash()).isEqualTo(Vectors.hex(expected, "authority_hash"));
    JsonNode profile = expected.get("profile_name");
    try (DiceHandover incoming = PvmFirmwareTest.incoming();
        DiceHandover next =
            incoming.next(
                input,
                new DiceCertificateIssuer(
                    ISSUER.algorithm(), profile.isNull() ? null : profile.textValue()));
        SecretBytes encoded = next.encode()) {
      assertThat(HexFormat.of().formatHex(encoded.toByteArray()))
          .isEqualTo(expected.get("next_handover").textValue());
    }
  }
}
