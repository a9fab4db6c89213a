package io.github.avf4j.attestation.cbor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.github.avf4j.attestation.ByteSlice;
import java.math.BigInteger;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CborReaderTest {
  private static CborValue decode(String hex) {
    return CborReader.decode(HexFormat.of().parseHex(hex));
  }

  private static CborException refusal(byte[] bytes) {
    return catchThrowableOfType(CborException.class, () -> CborReader.decode(bytes));
  }

  private static CborException refusal(String hex) {
    return refusal(HexFormat.of().parseHex(hex));
  }

  /** The deterministic examples of RFC 8949, appendix A. */
  @ParameterizedTest
  @CsvSource({
    "00, 0",
    "17, 23",
    "1818, 24",
    "1864, 100",
    "1903e8, 1000",
    "1a000f4240, 1000000",
    "1b000000e8d4a51000, 1000000000000",
    "1bffffffffffffffff, 18446744073709551615",
    "3bffffffffffffffff, -18446744073709551616",
    "20, -1",
    "3863, -100",
    "3903e7, -1000"
  })
  void readsIntegers(String hex, BigInteger value) {
    CborInteger integer = decode(hex).asInteger();
    assertThat(integer.bigValue()).isEqualTo(value);
    assertThat(integer.isLong()).isEqualTo(value.bitLength() < 64);
  }

  @ParameterizedTest
  @CsvSource({
    "f90000, 0.0",
    "f98000, -0.0",
    "f93c00, 1.0",
    "fb3ff199999999999a, 1.1",
    "f97bff, 65504.0",
    "fa47c35000, 100000.0",
    "fa7f7fffff, 3.4028234663852886e+38",
    "fb7e37e43c8800759c, 1.0e+300",
    "f90001, 5.960464477539063e-8",
    "f90400, 0.00006103515625",
    "f9c400, -4.0",
    "f97c00, Infinity",
    "f97e00, NaN",
    "f9fc00, -Infinity"
  })
  void readsFloatingPointNumbersInTheirShortestForm(String hex, Double value) {
    CborFloat number = (CborFloat) decode(hex);
    assertThat((Double) number.value()).isEqualTo(value);
    assertThat(CborFloat.of(value).encoded().toHex()).isEqualTo(hex);
  }

  @Test
  void readsEveryHalfFloatAndWritesItBack() {
    for (int bits = 0; bits < 0x10000; bits++) {
      double value = HalfFloat.toDouble(bits);
      if (!Double.isNaN(value)) {
        assertThat(HalfFloat.exactBits(value)).isEqualTo(bits);
      }
    }
  }

  @Test
  void keepsTheExactBytesAndPositionsOfEveryItem() {
    CborMap map = decode("a2026161018202f6").asMap();
    CborArray array = map.require(1, "one").asArray();
    assertThat(array.position()).isEqualTo(5);
    assertThat(array.encoded().toHex()).isEqualTo("8202f6");
    assertThat(map.encoded().toHex()).isEqualTo("a2026161018202f6");
    assertThat(map.entries()).extracting(entry -> entry.key().asLong()).containsExactly(2L, 1L);
  }

  @Test
  void countsPositionsFromTheOutermostDocument() {
    ByteSlice inner = decode("82004483000102").asArray().get(1).asBytes();
    assertThat(CborReader.decode(inner).asArray().get(2).position()).isEqualTo(6);
    CborException e =
        catchThrowableOfType(
            CborException.class, () -> CborReader.decode(inner).asArray().get(2).asText());
    assertThat(e.position()).hasValue(6);
    assertThat(e).hasMessage("expected text string but found integer (at byte 6)");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "1800",
        "1817",
        "190017",
        "1900ff",
        "1a0000ffff",
        "1b00000000ffffffff",
        "3800",
        "5800",
        "7800",
        "9800",
        "b800",
        "d800c0"
      })
  void refusesHeadsLongerThanNeeded(String hex) {
    assertThat(refusal(hex).reason()).contains("longer than needed");
  }

  @ParameterizedTest
  @ValueSource(strings = {"5f4100ff", "7f6161ff", "9fff", "bfff", "ff", "8201ff"})
  void refusesIndefiniteLengths(String hex) {
    assertThat(refusal(hex).reason()).containsAnyOf("indefinite length");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "fa3f800000",
        "fb3ff0000000000000",
        "fa7fc00000",
        "fb7ff8000000000000",
        "f97e01",
        "f9fe00",
        "fb47c3500000000000",
        "fa00000000",
        "fb36a0000000000000"
      })
  void refusesFloatingPointNumbersLongerThanNeeded(String hex) {
    assertThat(refusal(hex)).isNotNull();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"a201020103", "a301020203010a", "a2616102616103", "a2f6f6f6f6", "a28101028101f6"})
  void refusesAKeyThatOccursTwice(String hex) {
    assertThat(refusal(hex).reason()).contains("twice");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "18", "19ff", "41", "6161ff", "81", "a1", "a100", "c0", "0000", "f8"})
  void refusesMissingAndExtraBytes(String hex) {
    assertThat(refusal(hex)).isNotNull();
  }

  @ParameterizedTest
  @ValueSource(strings = {"1c", "1d", "1e", "3f", "dc", "fc", "fd", "fe", "f800", "f81f"})
  void refusesReservedHeads(String hex) {
    assertThat(refusal(hex)).isNotNull();
  }

  @ParameterizedTest
  @ValueSource(strings = {"61ff", "62c080", "63eda080", "64f4908080", "61c3"})
  void refusesTextThatIsNotUtf8(String hex) {
    assertThat(refusal(hex).reason()).contains("UTF-8");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "9b7fffffffffffffff",
        "9a7fffffff",
        "bb7fffffffffffffff",
        "5b7fffffffffffffff",
        "9bffffffffffffffff",
        "5bffffffffffffffff",
        "7a7fffffff",
        "ba7fffffff",
        "8400"
      })
  void refusesLengthsThatLieBeforeItAllocates(String hex) {
    assertThat(refusal(hex).position()).hasValue(0);
  }

  @Test
  void refusesWhatIsNestedTooDeep() {
    byte[] deep = new byte[100_000];
    java.util.Arrays.fill(deep, (byte) 0x81);
    assertThat(refusal(deep).reason()).contains("nested deeper than 32");
    java.util.Arrays.fill(deep, (byte) 0xc1);
    assertThat(refusal(deep).reason()).contains("nested deeper than 32");
  }

  @Test
  void countsWhatOuterItemsAnnounced() {
    // An array of 4, whose first item is an array of 3: 6 items are due but 4 bytes follow.
    assertThat(refusal("848300000000").reason()).contains("3 of them announced before");
    assertThat(refusal("a1a2000000").position()).hasValue(1);
    assertThat(CborReader.decode(ByteSlice.ofHex("8483000000000000")).asArray().size())
        .isEqualTo(4);
  }

  @Test
  void refusesMoreItemsThanTheLimit() {
    CborLimits limits = CborLimits.DEFAULT.withMaxItems(3);
    ByteSlice three = ByteSlice.ofHex("820001");
    assertThat(CborReader.decode(three, limits).asArray().size()).isEqualTo(2);
    assertThat(
            catchThrowableOfType(
                CborException.class, () -> CborReader.decode(ByteSlice.ofHex("83000102"), limits)))
        .isNotNull();
  }

  @Test
  void refusesLongInput() {
    assertThat(refusal(new byte[(1 << 20) + 1]).reason()).contains("at most 1048576 bytes");
  }

  @Test
  void refusesKeysOutOfTheOrderThatIsAskedFor() {
    CborLimits bytewise = CborLimits.DEFAULT.withKeyOrder(KeyOrder.BYTEWISE);
    CborLimits lengthFirst = CborLimits.DEFAULT.withKeyOrder(KeyOrder.LENGTH_FIRST);
    ByteSlice longFirst = ByteSlice.ofHex("a2190100f620f6");
    ByteSlice shortFirst = ByteSlice.ofHex("a220f6190100f6");
    CborReader.decode(longFirst, bytewise);
    CborReader.decode(shortFirst, lengthFirst);
    assertThat(
            catchThrowableOfType(
                CborException.class, () -> CborReader.decode(shortFirst, bytewise)))
        .isNotNull();
    assertThat(
            catchThrowableOfType(
                CborException.class, () -> CborReader.decode(longFirst, lengthFirst)))
        .isNotNull();
  }

  @Test
  void readsASequenceOfItems() {
    CborReader reader = new CborReader(ByteSlice.ofHex("01820203f6"), CborLimits.DEFAULT);
    assertThat(reader.read().asLong()).isEqualTo(1);
    assertThat(reader.read().asArray().size()).isEqualTo(2);
    assertThat(reader.rest().toHex()).isEqualTo("f6");
    assertThat(reader.read().isNull()).isTrue();
    assertThat(reader.atEnd()).isTrue();
  }

  @Test
  void findsADuplicateAmongManyKeysInLittleTime() {
    CborWriter out = new CborWriter();
    out.map(20_001);
    for (int i = 0; i < 20_000; i++) {
      out.integer(i * 7919L % 20_011).nul();
    }
    out.integer(7919).nul();
    assertThat(refusal(out.toByteArray()).reason()).contains("twice");
  }
}
