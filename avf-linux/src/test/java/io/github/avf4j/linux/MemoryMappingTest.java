package io.github.avf4j.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.avf4j.HypervisorException;
import io.github.avf4j.InvalidImageException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MemoryMappingTest {
  private static final Pattern RANGE = Pattern.compile("([0-9a-f]+)-([0-9a-f]+) ");

  @TempDir Path folder;

  @Test
  void cutsViewsOfOneGibibyte() {
    try (MemoryMapping mapping = MemoryMapping.anonymous((2L << 30) + 4096)) {
      List<ByteBuffer> chunks = mapping.chunks();
      assertThat(chunks).hasSize(3);
      assertThat(chunks.get(0).capacity()).isEqualTo(1 << 30);
      assertThat(chunks.get(2).capacity()).isEqualTo(4096);
      chunks.get(1).putInt(0, 0x11223344);
      assertThat(chunks.get(1).get(0)).as("little-endian").isEqualTo((byte) 0x44);
      assertThat(mapping.chunks(1L << 30, 8).get(0).getInt(0)).isEqualTo(0x11223344);
    }
  }

  @Test
  void asksForHugePages() throws Exception {
    assumeTrue(Files.exists(Path.of("/sys/kernel/mm/transparent_hugepage")), "no huge pages here");
    try (MemoryMapping mapping = MemoryMapping.anonymous(4 << 20)) {
      assertThat(flags(mapping)).doesNotContain("hg");
      mapping.adviseHugePages();
      assertThat(flags(mapping)).contains("hg");
    }
  }

  /** What the kernel says of the pages at the start of a mapping. */
  private static List<String> flags(MemoryMapping mapping) throws IOException {
    boolean inside = false;
    for (String line : Files.readAllLines(Path.of("/proc/self/smaps"))) {
      Matcher range = RANGE.matcher(line);
      if (range.lookingAt()) {
        inside =
            Long.parseUnsignedLong(range.group(1), 16) <= mapping.address()
                && Long.parseUnsignedLong(range.group(2), 16) > mapping.address();
      } else if (inside && line.startsWith("VmFlags:")) {
        return List.of(line.split(" +"));
      }
    }
    throw new AssertionError("it is not mapped");
  }

  @Test
  void overlaysAPrivateCopyOfASealedFile() throws Exception {
    Path file = folder.resolve("image");
    byte[] content = new byte[5000];
    content[0] = 1;
    content[4999] = 2;
    Files.write(file, content);
    try (MemFd copy = MemFd.sealedCopy("image", file, 5000);
        MemoryMapping a = MemoryMapping.anonymous(1 << 20);
        MemoryMapping b = MemoryMapping.anonymous(1 << 20)) {
      assertThat(copy.size()).isEqualTo(8192);
      a.overlay(4096, copy.fd(), 0, 8192);
      b.overlay(4096, copy.fd(), 0, 8192);
      ByteBuffer bytes = a.chunks().get(0);
      assertThat(bytes.get(4096)).isEqualTo((byte) 1);
      assertThat(bytes.get(4096 + 4999)).isEqualTo((byte) 2);
      bytes.put(4096, (byte) 9);
      assertThat(b.chunks().get(0).get(4096)).as("private").isEqualTo((byte) 1);
      assertThatThrownBy(() -> a.overlay((1 << 20) - 4096, copy.fd(), 0, 8192))
          .isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> MemoryMapping.shared(copy.fd(), 0, 4096))
          .as("sealed against writing")
          .isInstanceOf(HypervisorException.class)
          .hasMessageContaining("EPERM");
    }
  }

  @Test
  void refusesAFileThatIsShorterThanItWas() throws Exception {
    Path file = Files.write(folder.resolve("short"), new byte[10]);
    assertThatThrownBy(() -> MemFd.sealedCopy("short", file, 11))
        .isInstanceOf(InvalidImageException.class)
        .hasMessageContaining("became shorter");
  }

  @Test
  void knowsFilesThatNobodyCanShorten() throws Exception {
    Path path = Files.write(folder.resolve("file"), new byte[4096]);
    try (MemFd memory = MemFd.create("memory", 4096);
        EventFd event = EventFd.create();
        Fd file = Fd.openReadWrite(path)) {
      assertThat(MemFd.isShrinkSealed(memory.fd())).isFalse();
      memory.sealSize();
      assertThat(MemFd.isShrinkSealed(memory.fd())).isTrue();
      assertThat(MemFd.isShrinkSealed(file)).isFalse();
      assertThat(MemFd.isShrinkSealed(event.fd())).isFalse();
    }
  }

  @Test
  void closesTwice() {
    MemoryMapping mapping = MemoryMapping.anonymous(4096);
    mapping.close();
    mapping.close();
  }
}
