package io.github.avf4j.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.avf4j.HypervisorException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class FileHolesTest {
  private static final int BLOCK = 4096;

  @TempDir Path folder;

  @Test
  void makesTheRangeZeroAndKeepsTheRest() throws IOException {
    byte[] content = new byte[4 * BLOCK];
    Arrays.fill(content, (byte) 7);
    Path file = Files.write(folder.resolve("disk"), content);
    try (Fd fd = Fd.openReadWrite(file)) {
      assumeTrue(FileHoles.punch(fd, BLOCK, 2 * BLOCK), "this file system cannot punch holes");
    }
    Arrays.fill(content, BLOCK, 3 * BLOCK, (byte) 0);
    assertThat(Files.readAllBytes(file)).isEqualTo(content);
  }

  @Test
  void namesTheCallThatFailed() throws IOException {
    Path file = Files.write(folder.resolve("disk"), new byte[BLOCK]);
    try (Fd fd = Fd.openReadOnly(file)) {
      assertThatThrownBy(() -> FileHoles.punch(fd, 0, BLOCK))
          .isInstanceOf(HypervisorException.class)
          .hasMessageContaining("fallocate");
    }
  }
}
