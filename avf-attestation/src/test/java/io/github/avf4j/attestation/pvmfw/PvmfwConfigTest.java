package io.github.avf4j.attestation.pvmfw;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.pvmfw.PvmfwConfig.Entry;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PvmfwConfigTest {
  private static final byte[] HANDOVER = {1, 2, 3};

  @ParameterizedTest
  @CsvSource({"0, 32", "1, 40", "2, 48", "3, 56"})
  void readsWhatItWroteInEveryVersion(int minor, int table) {
    byte[] bytes = PvmfwConfig.of(HANDOVER).withMinor(minor).encode().toByteArray();
    assertThat(bytes).hasSize(table + 3);
    ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    assertThat(in.getInt(0)).isEqualTo(0x666d7670);
    assertThat(in.getInt(4)).isEqualTo(1 << 16 | minor);
    assertThat(in.getInt(8)).isEqualTo(bytes.length);
    assertThat(in.getInt(16)).isEqualTo(table);
    PvmfwConfig again = PvmfwConfig.parse(Arrays.copyOf(bytes, 4096));
    assertThat(again.minor()).isEqualTo(minor);
    assertThat(again.blob(Entry.DICE_HANDOVER).orElseThrow().toByteArray()).isEqualTo(HANDOVER);
    assertThat(again.blob(Entry.DEBUG_POLICY)).isEmpty();
    assertThat(again.encode().toByteArray()).isEqualTo(bytes);
  }

  @Test
  void alignsBlobsAndRaisesTheVersion() {
    PvmfwConfig config =
        PvmfwConfig.of(HANDOVER)
            .with(Entry.DEBUG_POLICY, new byte[] {4})
            .with(Entry.VM_REFERENCE_DT, new byte[] {5, 6});
    assertThat(config.minor()).isEqualTo(2);
    byte[] bytes = config.encode().toByteArray();
    assertThat(bytes).hasSize(48 + 8 + 8 + 2);
    assertThat(PvmfwConfig.parse(bytes).blob(Entry.VM_REFERENCE_DT).orElseThrow().toByteArray())
        .containsExactly(5, 6);
  }

  @Test
  void readsAnUnknownMinorVersionWithAWarning() {
    byte[] bytes = PvmfwConfig.of(HANDOVER).withMinor(3).encode().toByteArray();
    bytes[4] = 9;
    assertThat(PvmfwConfig.parse(bytes).warnings()).hasSize(1);
    bytes[4] = 3;
    assertThat(PvmfwConfig.parse(bytes).warnings()).isEmpty();
    assertThat(PvmfwConfig.parse(bytes, 0, PvmfwRevision.JANUARY_2025).warnings()).hasSize(1);
  }

  @ParameterizedTest
  @CsvSource({
    "0, 0, CONFIG_INVALID_MAGIC",
    "6, 2, CONFIG_UNSUPPORTED_VERSION",
    "8, 15, CONFIG_INVALID_SIZE",
    "8, 200, CONFIG_INVALID_SIZE",
    "16, 31, CONFIG_ENTRY_OUT_OF_BOUNDS",
    "20, 99, CONFIG_ENTRY_OUT_OF_BOUNDS",
    "20, 0, CONFIG_MISSING_ENTRY",
    "24, 32, CONFIG_ENTRY_OUT_OF_ORDER",
  })
  void namesTheError(int at, int value, PvmfwError error) {
    byte[] bytes =
        PvmfwConfig.of(HANDOVER).with(Entry.DEBUG_POLICY, new byte[4]).encode().toByteArray();
    bytes[at] = (byte) value;
    PvmFirmwareTest.assertError(() -> PvmfwConfig.parse(bytes), error);
  }

  @Test
  void refusesWhatIsCutOffOrMisaligned() {
    byte[] bytes = PvmfwConfig.of(HANDOVER).encode().toByteArray();
    PvmFirmwareTest.assertError(
        () -> PvmfwConfig.parse(Arrays.copyOf(bytes, 15)), PvmfwError.CONFIG_BUFFER_TOO_SMALL);
    PvmFirmwareTest.assertError(
        () -> PvmfwConfig.parse(Arrays.copyOf(bytes, 31)), PvmfwError.CONFIG_BUFFER_TOO_SMALL);
    PvmFirmwareTest.assertError(
        () -> PvmfwConfig.parse(bytes, 2, PvmfwRevision.MARCH_2025),
        PvmfwError.CONFIG_HEADER_MISALIGNED);
  }

  @Test
  void readsReservedMemory() {
    List<ReservedMemory> all =
        List.of(
            new ReservedMemory("vm", "a,b", ByteSlice.ofHex("0102"), true),
            new ReservedMemory("other", "c", ByteSlice.EMPTY, false));
    ByteSlice bytes = ReservedMemory.encode(all);
    assertThat(ReservedMemory.parse(bytes)).isEqualTo(all);
    for (int length = 0; length < bytes.length(); length++) {
      ByteSlice cut = bytes.slice(0, length);
      PvmFirmwareTest.assertError(
          () -> ReservedMemory.parse(cut), PvmfwError.CONFIG_INVALID_RESERVED_MEMORY);
    }
  }
}
