package io.github.avf4j.attestation.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class PemTest {
  private static final String TWO =
      "a comment\n"
          + Pem.encode("EC PARAMETERS", new byte[] {1})
          + "another\n"
          + Pem.encode("EC PRIVATE KEY", new byte[100]);

  private static Optional<Pem.Section> find(String text, int from, String label)
      throws Pem.DamagedException {
    return Pem.find(text.getBytes(StandardCharsets.ISO_8859_1), from, label::equals);
  }

  @Test
  void findsTheSectionThatIsWantedAmongOthers() throws Exception {
    Pem.Section key = find(TWO, 0, "EC PRIVATE KEY").orElseThrow();
    assertThat(key.der()).isEqualTo(new byte[100]);
    assertThat(TWO.substring(key.end())).isEqualTo("\n");
    assertThat(find(TWO, key.end(), "EC PRIVATE KEY")).isEmpty();
    assertThat(find(TWO, 0, "CERTIFICATE")).isEmpty();
    assertThat(find("", 0, "CERTIFICATE")).isEmpty();
    assertThat(find("-----BEGIN X", 0, "X")).isEmpty();
  }

  @Test
  void writesLinesAsOpensslDoes() {
    assertThat(Pem.encode("X", new byte[50]))
        .isEqualTo("-----BEGIN X-----\n" + "A".repeat(64) + "\nAAA=\n-----END X-----\n");
  }

  @Test
  void onlyTheSectionThatIsWantedMustBeWhole() throws Exception {
    String damaged = "-----BEGIN A-----\n*\n-----END A-----\n" + Pem.encode("B", new byte[3]);
    assertThat(find(damaged, 0, "B").orElseThrow().der()).hasSize(3);
    assertThatThrownBy(() -> find(' ' + damaged, 0, "A"))
        .isInstanceOfSatisfying(
            Pem.DamagedException.class, e -> assertThat(e.position()).isEqualTo(1))
        .hasMessageContaining("is not Base64");
    assertThatThrownBy(() -> find(damaged.replace("END B", "END C"), 0, "B"))
        .isInstanceOf(Pem.DamagedException.class)
        .hasMessageContaining("has no end");
  }
}
