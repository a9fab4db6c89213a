package io.github.avf4j.microdroid.report;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GuestTextTest {
  @ParameterizedTest
  @ValueSource(strings = {"\n", "\t", "\u001b", "\u007f", "\u009b", "\u202e", "\u2028", "\u2029"})
  void whatIsNotSeenBecomesASpace(String unseen) {
    assertThat(GuestText.oneLine("a" + unseen + "b")).isEqualTo("a b");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "plain", "ä € 漢 😀", "two  spaces"})
  void everythingElseStays(String text) {
    assertThat(GuestText.oneLine(text)).isEqualTo(text);
  }
}
