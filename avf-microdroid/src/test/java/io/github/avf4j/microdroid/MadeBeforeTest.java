package io.github.avf4j.microdroid;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MadeBeforeTest {
  @TempDir Path folder;
  private Path source;
  private Path result;
  private MadeBefore.Made made;

  @BeforeEach
  void setUp() throws IOException {
    source = Files.writeString(folder.resolve("a source\twith tab"), "content");
    result = Files.createFile(folder.resolve("result"));
    made = new MadeBefore.Made(result, List.of(FileStamp.of(source, "source", "")));
  }

  private MadeBefore memory() {
    return new MadeBefore(new CacheFolder(folder.resolve("cache")));
  }

  @Test
  void isRecalledByAnotherJvm() {
    assertThat(memory().recall("key")).isEmpty();
    memory().remember("key", made);
    assertThat(memory().recall("key")).contains(made);
    assertThat(memory().recall("other")).isEmpty();
  }

  @Test
  void isForgottenWhenAFileChanges() throws IOException {
    memory().remember("key", made);
    Files.writeString(source, "changed");
    assertThat(memory().recall("key")).isEmpty();
  }

  @Test
  void isForgottenWhenTheResultIsGone() throws IOException {
    memory().remember("key", made);
    Files.delete(result);
    assertThat(memory().recall("key")).isEmpty();
  }

  @Test
  void laterOneReplacesTheOneBefore() throws IOException {
    memory().remember("key", made);
    MadeBefore.Made next = new MadeBefore.Made(Files.createFile(folder.resolve("b")), List.of());
    memory().remember("key", next);
    assertThat(memory().recall("key")).contains(next);
  }

  @Test
  void damagedMemoriesAreNone() throws IOException {
    memory().remember("key", made);
    Path file;
    try (var files = Files.list(folder.resolve("cache/made"))) {
      file = files.findFirst().orElseThrow();
    }
    String whole = Files.readString(file);
    for (int length = 0; length < whole.length() - 1; length++) {
      Files.writeString(file, whole.substring(0, length));
      assertThat(memory().recall("key")).as("length %s", length).isEmpty();
    }
  }
}
