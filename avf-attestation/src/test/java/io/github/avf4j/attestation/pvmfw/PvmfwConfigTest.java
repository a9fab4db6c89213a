package io.github.avf4j.attestation.pvmfw;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.avf4j.attestation.SecretBytes;
import io.github.avf4j.attestation.pvmfw.PvmfwConfig.Entry;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

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

  private static ReservedMemory memory(String name, String compatible, String hex, boolean noMap) {
    return new ReservedMemory(
        name, compatible, SecretBytes.takeOver(HexFormat.of().parseHex(hex)), noMap);
  }

  @Test
  void readsReservedMemory() {
    List<ReservedMemory> all =
        List.of(
            memory("vm", "a,b", "0102", true),
            memory("other", "c", "", false),
            memory("vm", "d", "ff", false));
    byte[] bytes = ReservedMemory.encode(all).toByteArray();
    assertThat(ReservedMemory.parse(bytes)).isEqualTo(all);
    assertThat(ReservedMemory.forVm(all, "vm")).containsExactly(all.get(0), all.get(2));
    assertThat(all.toString()).as("contents are seeds").doesNotContain("0102");
    for (int length = 0; length < bytes.length; length++) {
      byte[] cut = Arrays.copyOf(bytes, length);
      PvmFirmwareTest.assertError(
          () -> ReservedMemory.parse(cut), PvmfwError.CONFIG_INVALID_RESERVED_MEMORY);
    }
  }

  /** The layout of a boot loader that writes this entry: contents first, texts behind them. */
  @Test
  void readsReservedMemoryWithTextsBehindTheContents() {
    ByteBuffer entry = ByteBuffer.allocate(4 + 40 + 6 + 3 + 2 + 2).order(ByteOrder.LITTLE_ENDIAN);
    entry.putInt(2);
    entry.putInt(6).putInt(0).putInt(4).putInt(9).putInt(1);
    entry.putInt(6).putInt(4).putInt(2).putInt(11).putInt(0);
    entry.put(new byte[] {1, 2, 3, 4, 5, 6}).put("vm\0x\0y\0".getBytes(US_ASCII));
    assertThat(ReservedMemory.parse(entry.array()))
        .containsExactly(memory("vm", "x", "01020304", true), memory("vm", "y", "0506", false));
    entry.putInt(4 + 20 + 4, 0);
    PvmFirmwareTest.assertError(
        () -> ReservedMemory.parse(entry.array()), PvmfwError.CONFIG_INVALID_RESERVED_MEMORY);
  }

  @ParameterizedTest
  @CsvSource({"0, 257", "4, 200", "16, -1", "8, -1", "12, -1", "4, -1"})
  void refusesReservedMemoryThatContradictsItself(int at, int value) {
    byte[] bytes = ReservedMemory.encode(List.of(memory("vm", "a,b", "0102", true))).toByteArray();
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putInt(at, value);
    PvmFirmwareTest.assertError(
        () -> ReservedMemory.parse(bytes), PvmfwError.CONFIG_INVALID_RESERVED_MEMORY);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 0x80, 0xff})
  void refusesReservedMemoryWithoutANameInAscii(int first) {
    byte[] bytes = ReservedMemory.encode(List.of(memory("vm", "a,b", "0102", true))).toByteArray();
    bytes[24] = (byte) first;
    PvmFirmwareTest.assertError(
        () -> ReservedMemory.parse(bytes), PvmfwError.CONFIG_INVALID_RESERVED_MEMORY);
  }

  @Test
  void readsALongTextOfManyHeadersOnce() {
    int count = 256;
    ByteBuffer entry = ByteBuffer.allocate(4 + 20 * count + 300).order(ByteOrder.LITTLE_ENDIAN);
    entry.putInt(count);
    Arrays.fill(entry.array(), 4 + 20 * count, entry.capacity(), (byte) 'a');
    PvmFirmwareTest.assertError(
        () -> ReservedMemory.parse(entry.array()), PvmfwError.CONFIG_INVALID_RESERVED_MEMORY);
  }

  @Test
  void readsFourEntriesOfVersion13InJanuary() {
    byte[] bytes =
        PvmfwConfig.of(HANDOVER).with(Entry.RESERVED_MEMORY, new byte[4]).encode().toByteArray();
    try (PvmfwConfig march = PvmfwConfig.parse(bytes);
        PvmfwConfig january = PvmfwConfig.parse(bytes, 0, PvmfwRevision.JANUARY_2025)) {
      assertThat(march.blob(Entry.RESERVED_MEMORY)).isPresent();
      assertThat(january.blob(Entry.RESERVED_MEMORY)).isEmpty();
      assertThat(january.warnings()).hasSize(1);
    }
  }
}
