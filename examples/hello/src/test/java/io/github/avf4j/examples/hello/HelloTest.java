package io.github.avf4j.examples.hello;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.DataSize;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Optional;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HelloTest {
  @ParameterizedTest
  @ValueSource(longs = {0, 1, 7, 8, 9, (1 << 18) - 1, 1 << 18, 1_000_003})
  void summaryIsThatOfTheTextThatIsSent(long size) throws Exception {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    GeneratedText text = new GeneratedText(size);
    ByteBuffer part;
    while ((part = text.next()).hasRemaining()) {
      byte[] bytes = new byte[part.remaining()];
      part.get(bytes);
      all.write(bytes);
    }
    assertThat(all.size()).isEqualTo((int) size);
    byte[] bytes = all.toByteArray();
    long lines = 0;
    for (byte value : bytes) {
      assertThat(value == '\n' || value > ' ' && value < 0x7f).isTrue();
      lines += value == '\n' ? 1 : 0;
    }
    String digest = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    assertThat(GeneratedText.summary(size)).isEqualTo(new GeneratedText.Summary(digest, lines));
  }

  @Test
  void readsOptions() {
    assertThat(Options.parse(new String[0]))
        .isEqualTo(new Options(Optional.empty(), DataSize.ofMebibytes(64), false));
    assertThat(Options.parse(new String[] {"--size", "1K", "--verbose", "--backend", "kvm"}))
        .isEqualTo(new Options(Optional.of("kvm"), DataSize.ofKibibytes(1), true));
    for (String[] wrong : new String[][] {{"--size"}, {"--what", "x"}, {"--size", "x"}}) {
      assertThatThrownBy(() -> Options.parse(wrong)).isInstanceOf(IllegalArgumentException.class);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"README.md", "javadoc-overview.html"})
  void documentsHaveTheExampleThatIsCompiled(String document) throws Exception {
    String text = compact(Files.readString(Path.of("../..", document)));
    String source =
        Files.readString(Path.of("src/main/java/io/github/avf4j/examples/hello/TenLines.java"));
    int start = source.indexOf("    try (VirtualMachineManager");
    String example = compact(source.substring(start, source.lastIndexOf("  }\n}")));
    assertThat(text).contains(example);
  }

  /** Indentation and line breaks differ: the formatter has its own ideas. */
  private static String compact(String text) {
    return text.lines().map(String::strip).collect(Collectors.joining()).replace(" ", "");
  }
}
