package io.github.avf4j.microdroid.initrd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.microdroid.Tool;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CpioWriterTest {
  @TempDir Path folder;

  private static byte[] archive() throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    CpioWriter cpio = new CpioWriter(out);
    cpio.directory("dev", 0755);
    cpio.characterDevice("dev/console", 0600, 5, 1);
    cpio.file("init", 0755, "hello".getBytes(StandardCharsets.US_ASCII));
    cpio.file("stream", 0444, 3, new ByteArrayInputStream(new byte[] {'a', 'b', 'c'}));
    cpio.file("empty", 0444, new byte[0]);
    assertThat(cpio.finish()).isEqualTo(out.size());
    return out.toByteArray();
  }

  @Test
  void isReadByCpio() throws Exception {
    String list =
        new String(
            Tool.run(folder, archive(), "cpio", "-itv", "--quiet"), StandardCharsets.US_ASCII);
    assertThat(list.lines())
        .satisfiesExactly(
            line -> assertThat(line).startsWith("drwxr-xr-x   2 root     root            0 Jan  1"),
            line -> assertThat(line).matches("crw-------   1 root     root       5, +1 .* 1970 .*"),
            line -> assertThat(line).matches("-rwxr-xr-x   1 root     root  +5 Jan  1  1970 init"),
            line -> assertThat(line).endsWith("1970 stream"),
            line -> assertThat(line).endsWith("1970 empty"));
    assertThat(Tool.run(folder, archive(), "cpio", "-i", "--to-stdout", "--quiet", "init"))
        .asString(StandardCharsets.US_ASCII)
        .isEqualTo("hello");
  }

  @Test
  void givesTheSameBytesEachTime() throws IOException {
    assertThat(archive()).isEqualTo(archive());
  }

  @Test
  void refusesContentOfAnotherLength() {
    CpioWriter cpio = new CpioWriter(new ByteArrayOutputStream());
    for (int length : new int[] {2, 4}) {
      assertThatThrownBy(() -> cpio.file("f", 0444, 3, new ByteArrayInputStream(new byte[length])))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("changed its length");
    }
    assertThatThrownBy(() -> cpio.file("f", 0444, 1L << 32, new ByteArrayInputStream(new byte[0])))
        .isInstanceOf(IOException.class);
  }
}
