package io.github.avf4j.attestation.remote;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.github.avf4j.attestation.AttestationException;
import io.github.avf4j.attestation.cbor.CborMap;
import io.github.avf4j.attestation.cbor.CborValue;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DeviceInfoTest {
  private final Map<String, CborValue> entries = new LinkedHashMap<>();

  DeviceInfoTest() {
    for (String key : new String[] {"brand", "manufacturer", "product", "model", "device"}) {
      entries.put(key, CborValue.of("some"));
    }
    entries.put("vb_state", CborValue.of("Green"));
    entries.put("bootloader_state", CborValue.of("locked"));
    entries.put("security_level", CborValue.of("tee"));
    entries.put("os_version", CborValue.of("15"));
    entries.put("vbmeta_digest", CborValue.of(new byte[] {1}));
    entries.put("fused", CborValue.of(1));
    entries.put("system_patch_level", CborValue.of(202502));
    entries.put("boot_patch_level", CborValue.of(20250228));
    entries.put("vendor_patch_level", CborValue.of(20250228));
  }

  private DeviceInfo parse(int version, boolean factory) {
    CborMap.Builder map = CborMap.builder();
    entries.forEach(map::put);
    return DeviceInfo.parse(map.build(), version, factory);
  }

  private void assertRefused(boolean factory) {
    assertThatExceptionOfType(AttestationException.class).isThrownBy(() -> parse(3, factory));
  }

  @Test
  void acceptsAFinishedDevice() {
    assertThat(parse(3, false).text("vb_state")).hasValue("Green");
    assertThat(parse(3, false).isAvf()).isFalse();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "brand",
        "manufacturer",
        "product",
        "model",
        "device",
        "vb_state",
        "bootloader_state",
        "os_version",
        "vbmeta_digest",
        "system_patch_level",
        "boot_patch_level",
        "vendor_patch_level"
      })
  void requiresWhatAFinishedDeviceHas(String key) {
    entries.remove(key);
    assertRefused(false);
    assertThat(parse(3, true)).isNotNull();
  }

  @ParameterizedTest
  @CsvSource({
    "brand,aosp-avf",
    "device,avf",
    "vb_state,AVF",
    "vb_state,purple",
    "bootloader_state,open",
    "security_level,high",
    "unknown,key",
    "version,2"
  })
  void refusesValuesThatAreNotAllowed(String key, String value) {
    entries.put(key, CborValue.of(value));
    assertRefused(false);
    assertRefused(true);
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 2025, 202513, 20250229, 2025022, 202502281, 1L << 32})
  void refusesPatchLevelsThatAreNoDates(long level) {
    entries.put("boot_patch_level", CborValue.of(level));
    assertRefused(false);
  }

  @Test
  void refusesAnEmptyDigestAndAnOddFuse() {
    entries.put("vbmeta_digest", CborValue.of(new byte[32]));
    assertRefused(false);
    entries.put("vbmeta_digest", CborValue.of(new byte[] {1}));
    entries.put("fused", CborValue.of(2));
    assertRefused(false);
    entries.remove("fused");
    assertRefused(true);
  }

  @Test
  void needsTheVersionInRequestsOfVersion2Alone() {
    assertThatExceptionOfType(AttestationException.class).isThrownBy(() -> parse(2, false));
    entries.put("version", CborValue.of(2));
    assertThat(parse(2, false)).isNotNull();
    assertRefused(false);
  }

  @Test
  void acceptsFactoryStatesInAFactoryAlone() {
    entries.put("vb_state", CborValue.of("factory"));
    assertThat(parse(3, true)).isNotNull();
    assertRefused(false);
  }
}
