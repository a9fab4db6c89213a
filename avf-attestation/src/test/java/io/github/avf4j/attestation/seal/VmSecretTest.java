package io.github.avf4j.attestation.seal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.SecretBytes;
import io.github.avf4j.attestation.Vectors;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class VmSecretTest {
  private static final JsonNode VECTOR = Vectors.json("avf/microdroid_derivation_computed.json");

  private static SecretBytes secret(JsonNode node, String field) {
    return SecretBytes.takeOver(Vectors.hex(node, field).toByteArray());
  }

  private static void check(VmSecret secret, JsonNode expected, String identifier) {
    byte[] id = identifier.getBytes(StandardCharsets.US_ASCII);
    ByteSlice full = Vectors.hex(expected, "payload_secret_32");
    assertThat(secret.payloadSecret(id, 32).toByteArray()).isEqualTo(full.toByteArray());
    assertThat(secret.payloadSecret(id, 7).toByteArray()).isEqualTo(full.slice(0, 7).toByteArray());
    assertThat(secret.encryptedStoreKey().toByteArray())
        .isEqualTo(Vectors.hex(expected, "encryptedstore_key").toByteArray());
  }

  @ParameterizedTest
  @ValueSource(strings = {"jan2025", "mar2025"})
  void derivesTheSecretsOfBothVersions(String revision) {
    JsonNode state = VECTOR.required(revision);
    String identifier = state.required("v1").required("payload_secret_identifier").textValue();
    try (SecretBytes cdi = secret(state, "cdi_seal");
        SecretBytes kept = secret(state.required("v2"), "skp_secret");
        VmSecret v1 = VmSecret.v1(cdi);
        VmSecret v2 = VmSecret.v2(cdi, kept)) {
      check(v1, state.required("v1"), identifier);
      check(v2, state.required("v2"), identifier);
    }
  }

  @Test
  void givesNoBytesForALengthOfZero() {
    try (VmSecret secret = VmSecret.v1(SecretBytes.takeOver(new byte[32]))) {
      assertThat(secret.payloadSecret(new byte[0], 0).length()).isZero();
    }
  }

  @Test
  void refusesMoreThan32Bytes() {
    try (VmSecret secret = VmSecret.v1(SecretBytes.takeOver(new byte[32]))) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> secret.payloadSecret(new byte[0], 33))
          .withMessageContaining("0..32 but was 33");
      assertThatIllegalArgumentException().isThrownBy(() -> secret.payloadSecret(new byte[0], -1));
    }
  }

  @Test
  void refusesASecretOfAnotherLength() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> VmSecret.v1(SecretBytes.takeOver(new byte[31])));
  }

  @Test
  void cannotBeUsedAfterItWasWiped() {
    VmSecret secret = VmSecret.v1(SecretBytes.takeOver(new byte[32]));
    secret.close();
    assertThatIllegalStateException().isThrownBy(secret::encryptedStoreKey);
  }
}
