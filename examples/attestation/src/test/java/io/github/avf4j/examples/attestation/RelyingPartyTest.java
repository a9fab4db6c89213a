package io.github.avf4j.examples.attestation;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class RelyingPartyTest {
  @Test
  void readmeHasThePolicyThatIsCompiled() throws Exception {
    String source =
        Files.readString(
            Path.of("src/main/java/io/github/avf4j/examples/attestation/RelyingParty.java"));
    int start = source.indexOf("AttestationPolicy policy =");
    String example = source.substring(start, source.indexOf(';', start) + 1);

    assertThat(Files.readString(Path.of("../../README.md"))).containsIgnoringWhitespaces(example);
  }

  @Test
  void acceptsTheGenuineAttestationAndSaysWhyTheOthersFail() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    int unexpected =
        RelyingParty.run(
            new PrintStream(bytes, true, StandardCharsets.UTF_8),
            Instant.parse("2026-06-01T12:00:00Z"));

    String text = bytes.toString(StandardCharsets.UTF_8);
    assertThat(unexpected).as(text).isZero();
    assertThat(text)
        .contains("accepted\n", "\"accepted\":true")
        .containsPattern("fail +challenge +must be")
        .containsPattern("fail +chain-signatures +the leaf is not signed")
        .containsPattern("fail +secure-mode")
        .containsPattern(
            "fail +component-version apk:com.example.vault +version must be at least 7")
        .containsPattern("fail +trusted-root");
  }
}
