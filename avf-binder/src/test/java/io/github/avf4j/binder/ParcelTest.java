package io.github.avf4j.binder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HexFormat;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Parcels against the strings of libbinder's own wire protocol test. */
class ParcelTest {
  private static Arguments vector(
      String hex,
      Object value,
      Function<ParcelWriter, ParcelWriter> write,
      Function<ParcelReader, Object> read) {
    return Arguments.of(hex, value, write, read);
  }

  static Stream<Arguments> vectors() {
    return Stream.of(
        string("03000000" + "74006f006b000000", "tok"),
        string("0000000000000000", ""),
        string("0100000061000000", "a"),
        string("04000000620061006200610000000000", "baba"),
        string("03000000e4003dd800de0000", "\u00e4\ud83d\ude00"),
        string("ffffffff", null),
        vector("ffffffff", -1, w -> w.writeInt(-1), ParcelReader::readInt),
        vector("11000000", 17, w -> w.writeInt(17), ParcelReader::readInt),
        vector("ffffffffffffffff", -1L, w -> w.writeLong(-1), ParcelReader::readLong),
        vector("1100000000000000", 17L, w -> w.writeLong(17), ParcelReader::readLong),
        vector("cdcccc3d", 0.1f, w -> w.writeFloat(0.1f), ParcelReader::readFloat),
        vector("9a991141", 9.1f, w -> w.writeFloat(9.1f), ParcelReader::readFloat),
        vector("9a9999999999b93f", 0.1, w -> w.writeDouble(0.1), ParcelReader::readDouble),
        vector("3333333333332240", 9.1, w -> w.writeDouble(9.1), ParcelReader::readDouble),
        vector("01000000", true, w -> w.writeBoolean(true), ParcelReader::readBoolean),
        vector("61000000", 'a', w -> w.writeChar('a'), ParcelReader::readChar),
        vector("80ffffff", (byte) -128, w -> w.writeByte((byte) -128), ParcelReader::readByte),
        vector("7f000000", (byte) 127, w -> w.writeByte((byte) 127), ParcelReader::readByte),
        bytes("030000000011ff00", new byte[] {0, 17, -1}),
        bytes("05000000deadbeef01000000", HexFormat.of().parseHex("deadbeef01")),
        bytes("00000000", new byte[0]),
        bytes("ffffffff", null),
        vector(
            "03000000ffffffff0000000011000000",
            new int[] {-1, 0, 17},
            w -> w.writeIntArray(new int[] {-1, 0, 17}),
            ParcelReader::readIntArray),
        vector(
            "03000000ffffffffffffffff00000000000000001100000000000000",
            new long[] {-1, 0, 17},
            w -> w.writeLongArray(new long[] {-1, 0, 17}),
            ParcelReader::readLongArray),
        vector(
            "0000000000000000",
            null,
            w -> w.writeStrongBinder(null),
            ParcelReader::readStrongBinder));
  }

  private static Arguments string(String hex, String value) {
    return vector(hex, value, w -> w.writeString(value), ParcelReader::readString);
  }

  private static Arguments bytes(String hex, byte[] value) {
    return vector(hex, value, w -> w.writeByteArray(value), ParcelReader::readByteArray);
  }

  private static ParcelReader reader(String hex) {
    return new ParcelReader(HexFormat.of().parseHex(hex.replace(" ", "")), new TreeMap<>(), null);
  }

  @ParameterizedTest
  @MethodSource("vectors")
  void writesAndReadsLibbindersVectors(
      String hex,
      Object value,
      Function<ParcelWriter, ParcelWriter> write,
      Function<ParcelReader, Object> read) {
    ParcelWriter writer = write.apply(new ParcelWriter());
    assertThat(HexFormat.of().formatHex(writer.toByteArray())).isEqualTo(hex);
    ParcelReader reader = reader(hex);
    assertThat(read.apply(reader)).isEqualTo(value);
    assertThat(reader.remaining()).isZero();
  }

  static Stream<Arguments> malformed() {
    Consumer<ParcelReader> string = ParcelReader::readString;
    Consumer<ParcelReader> bytes = ParcelReader::readByteArray;
    Consumer<ParcelReader> longs = ParcelReader::readLongArray;
    Consumer<ParcelReader> exception = ParcelReader::readException;
    Consumer<ParcelReader> object = ParcelReader::readStrongBinder;
    Consumer<ParcelReader> number = ParcelReader::readLong;
    return Stream.of(
        Arguments.of("", string, 0),
        Arguments.of("01000000", number, 0),
        Arguments.of("0100000061006100", string, 8),
        Arguments.of("ffffff7f00000000", string, 4),
        Arguments.of("feffffff00000000", string, 4),
        Arguments.of("0200000061006200", string, 4),
        Arguments.of("0500000000000000", bytes, 4),
        Arguments.of("feffffff00000000", bytes, 4),
        Arguments.of("ffffff7f00000000", longs, 4),
        Arguments.of("f8ffffff ffffffff 03000000 00000000", exception, 12),
        Arguments.of("f8ffffff ffffffff 10000000 00000000", exception, 12),
        Arguments.of("f8ffffff ffffffff fcffffff 00000000", exception, 12),
        Arguments.of("f8ffffff ffffffff 00000000", exception, 12),
        Arguments.of("81ffffff 08000000", exception, 8),
        Arguments.of("00000000 0c000000", object, 8),
        // Not in the table of its message.
        Arguments.of("01000000 0300000000000000 0c000000", object, 4));
  }

  @ParameterizedTest
  @MethodSource("malformed")
  void saysWhereAParcelIsMalformed(String hex, Consumer<ParcelReader> read, int position) {
    assertThatThrownBy(() -> read.accept(reader(hex)))
        .isInstanceOfSatisfying(
            MalformedParcelException.class, e -> assertThat(e.position()).isEqualTo(position));
  }

  @ParameterizedTest
  @CsvSource({
    "07000000020000003a0044000000000000000000, OTHER, :D, 0",
    "f8ffffff020000003a002f00000000000000000008000000, SERVICE_SPECIFIC, :/, 8",
    "f8ffffff03000000620061006400000000000000 07000000, SERVICE_SPECIFIC, bad, 7",
    "fdffffff03000000610072006700000000000000, ILLEGAL_ARGUMENT, arg, 0",
    "81ffffff 08000000 00000000 fbffffff ffffffff 00000000, ILLEGAL_STATE, , 0",
    "ffffffff ffffffff 08000000 11111111, SECURITY, , 0"
  })
  void readsExceptions(String hex, RpcServiceException.Code code, String text, int error) {
    ParcelReader reader = reader(hex);
    assertThatThrownBy(reader::readException)
        .isInstanceOfSatisfying(
            RpcServiceException.class,
            e -> {
              assertThat(e.code()).isEqualTo(code);
              assertThat(e.text().orElse(null)).isEqualTo(text);
              assertThat(e.error()).isEqualTo(error);
            });
    assertThat(reader.remaining()).isZero();
  }

  @Test
  void readsSuccess() {
    for (String hex : new String[] {"00000000", "80ffffff 08000000 11111111"}) {
      ParcelReader reader = reader(hex);
      reader.readException();
      assertThat(reader.remaining()).isZero();
    }
  }

  @Test
  void growsAsNeeded() {
    ParcelWriter writer = new ParcelWriter().writeByte((byte) 1).writeByteArray(new byte[100_001]);
    assertThat(writer.writeInt(5).size()).isEqualTo(4 + 4 + 100_004 + 4);
  }
}
