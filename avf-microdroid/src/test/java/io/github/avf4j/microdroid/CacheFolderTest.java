package io.github.avf4j.microdroid;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.StoreException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CacheFolderTest {
  @TempDir Path folder;

  @Test
  void writesAFileOnce() throws IOException {
    CacheFolder cache = new CacheFolder(folder.resolve("cache"));
    Path first = cache.file("kind", "name", out -> out.write(1));
    Path second = cache.file("kind", "name", out -> out.write(2));
    assertThat(second).isEqualTo(first);
    assertThat(first).hasBinaryContent(new byte[] {1});
  }

  @Test
  void leavesNothingBehindWhenWritingFails() throws IOException {
    CacheFolder cache = new CacheFolder(folder.resolve("cache"));
    assertThatThrownBy(
            () ->
                cache.file(
                    "kind",
                    "name",
                    out -> {
                      out.write(1);
                      throw new IOException("No space left on device");
                    }))
        .isInstanceOf(StoreException.class)
        .hasMessageContaining("No space left on device")
        .hasMessageContaining("XDG_CACHE_HOME");
    try (Stream<Path> files = Files.list(folder.resolve("cache/kind"))) {
      assertThat(files).isEmpty();
    }
  }

  @Test
  void saysWhatToDoWhenTheFolderCannotBeMade() throws IOException {
    Path file = Files.createFile(folder.resolve("file"));
    CacheFolder cache = new CacheFolder(file.resolve("cache"));
    assertThatThrownBy(() -> cache.file("kind", "name", out -> {}))
        .isInstanceOf(StoreException.class)
        .hasMessageContaining("XDG_CACHE_HOME");
  }

  @Test
  void removesWhatAKilledProcessLeft() throws IOException {
    CacheFolder cache = new CacheFolder(folder);
    Path kind = Files.createDirectories(folder.resolve("kind"));
    Path old = Files.createFile(kind.resolve(".new-old"));
    Files.setLastModifiedTime(old, FileTime.from(Instant.now().minus(Duration.ofDays(1))));
    Path inUse = Files.createFile(kind.resolve(".new-in-use"));
    cache.file("kind", "name", out -> {});
    assertThat(old).doesNotExist();
    assertThat(inUse).exists();
  }
}
