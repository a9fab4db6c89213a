package io.github.avf4j.attestation.dice;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.Vectors;
import java.math.BigInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ConfigDescriptorTest {
  private static final String ALL =
      "a53a00011171735465737420436f6d706f6e656e74204e616d653a000111721b232a13dec90f42b5"
          + "3a00011173f63a000111741afab777c13a00011175f6";

  @Test
  void writesAllFieldsInTheOrderOfTheReference() {
    ConfigDescriptor made =
        ConfigDescriptor.builder()
            .componentName("Test Component Name")
            .componentVersion(0x232a13dec90f42b5L)
            .resettable()
            .securityVersion(0xfab777c1L)
            .rkpVmMarker()
            .build();
    assertThat(made.encoded().toHex()).isEqualTo(ALL);
  }

  @Test
  void readsAllFields() {
    ConfigDescriptor read = ConfigDescriptor.decode(ByteSlice.ofHex(ALL));
    assertThat(read.componentName()).hasValue("Test Component Name");
    assertThat(read.componentVersion()).hasValue(new ComponentVersion.Number(0x232a13dec90f42b5L));
    assertThat(read.isResettable()).isTrue();
    assertThat(read.securityVersion()).hasValue(BigInteger.valueOf(0xfab777c1L));
    assertThat(read.hasRkpVmMarker()).isTrue();
  }

  @Test
  void readsADescriptorWithoutEntries() {
    ConfigDescriptor read = ConfigDescriptor.decode(ByteSlice.ofHex("a0"));
    assertThat(read.componentName()).isEmpty();
    assertThat(read.isResettable()).isFalse();
  }

  @Test
  void keepsTheEntriesOfMicrodroid() {
    JsonNode vectors = Vectors.json("avf/microdroid_config_descriptors.json");
    for (String state : new String[] {"jan2025", "mar2025"}) {
      for (JsonNode hex : vectors.required(state)) {
        ConfigDescriptor read = ConfigDescriptor.decode(ByteSlice.ofHex(hex.textValue()));
        assertThat(read.componentName()).hasValue("Microdroid payload");
        assertThat(read.encoded().toHex()).isEqualTo(hex.textValue());
        assertThat(read.get(-71000).isPresent() || read.get(-71001).isPresent()).isTrue();
      }
    }
  }

  @Test
  void readsTheGreatestSecurityVersion() {
    ConfigDescriptor read =
        ConfigDescriptor.decode(ByteSlice.ofHex("a13a000111741bffffffffffffffff"));
    assertThat(read.securityVersion().orElseThrow().bitLength()).isEqualTo(64);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "", // nothing
        "80", // an array
        "a13a0001117101", // a name that is a number
        "a13a00011172f6", // a version that is null
        "a13a000111721b8000000000000000", // a version beyond 64 bits signed
        "a13a0001117301", // resettable that is not null
        "a13a0001117420", // a negative security version
        "a13a0001117501", // a marker that is not null
        "a13a000111700a", // -70001, reserved
        "a13a0001155600a0", // a byte after the map
        "a16161f6", // a text key
        "a23a00011173f63a00011173f6", // a key twice
        "bf3a00011173f6ff", // an indefinite length
      })
  void refuses(String hex) {
    assertThatThrownBy(() -> ConfigDescriptor.decode(ByteSlice.ofHex(hex)))
        .isInstanceOf(DiceException.class)
        .satisfies(
            e -> assertThat(((DiceException) e).rule()).isEqualTo(DiceRule.CONFIG_DESCRIPTOR));
  }

  @Test
  void acceptsKeysJustOutsideTheReservedRange() {
    ConfigDescriptor.decode(ByteSlice.ofHex("a13a0001116ef6")); // -69999
    ConfigDescriptor.decode(ByteSlice.ofHex("a13a00011557f6")); // -71000
  }
}
