package io.github.avf4j.microdroid.java;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.avf4j.microdroid.apk.ApkWriter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PackageNamesTest {
  @ParameterizedTest
  @CsvSource({
    "com.example.Main,com.example.Main",
    "com.example.Main$Inner,com.example.Main_Inner",
    "Main,payload.Main",
    "_a.Ä,p_a.p_",
  })
  void areNamesThatAndroidTakes(String mainClass, String expected) {
    assertThat(PackageNames.of(mainClass)).isEqualTo(expected);
    new ApkWriter(expected);
  }

  @Test
  void areNeverTooLong() {
    new ApkWriter(PackageNames.of("a".repeat(5000) + ".B"));
  }
}
