package io.github.avf4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DataSizeTest {
  @ParameterizedTest
  @CsvSource({
    "0, 0",
    "4096, 4096",
    "1K, 1024",
    "256M, 268435456",
    "1GiB, 1073741824",
    "2 gb, 2147483648",
    " 3m , 3145728",
    "1T, 1099511627776",
    "7B, 7",
    "1kib, 1024"
  })
  void readsNumbersWithUnits(String text, long bytes) {
    assertThat(DataSize.parse(text)).isEqualTo(DataSize.ofBytes(bytes));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "M", "-1", "1.5G", "1P", "256 MM", "0x10", "1I", "١"})
  void refusesWhatIsNoSize(String text) {
    assertThatThrownBy(() -> DataSize.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("such as 256M, but was \"" + text + '"');
  }

  @Test
  void refusesWhatIsTooLarge() {
    assertThatThrownBy(() -> DataSize.parse("9000000000T"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("the size \"9000000000T\" is too large");
    assertThatThrownBy(() -> DataSize.ofGibibytes(1L << 40))
        .isInstanceOf(ArithmeticException.class);
    assertThatThrownBy(() -> DataSize.ofBytes(-1))
        .hasMessage("a size must not be negative but was -1");
  }

  @Test
  void isWrittenWithTheLargestUnitThatDividesIt() {
    assertThat(DataSize.ofMebibytes(256)).hasToString("256 MiB");
    assertThat(DataSize.ofMebibytes(2048)).hasToString("2 GiB");
    assertThat(DataSize.ofBytes(1025)).hasToString("1025 bytes");
    assertThat(DataSize.ofBytes(0)).hasToString("0 bytes");
    assertThat(DataSize.parse(DataSize.ofKibibytes(3).toString()))
        .isEqualTo(DataSize.ofKibibytes(3));
  }

  @Test
  void isOrdered() {
    assertThat(DataSize.ofKibibytes(1)).isLessThan(DataSize.ofMebibytes(1));
  }
}
