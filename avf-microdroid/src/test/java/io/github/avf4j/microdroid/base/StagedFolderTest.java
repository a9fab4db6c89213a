package io.github.avf4j.microdroid.base;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.StoreException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StagedFolderTest {
  private static final Set<String> NAMES = Set.of("a", "b");

  @TempDir Path folder;

  private void make(Path target, String content) throws IOException {
    try (StagedFolder staged = StagedFolder.create(target, NAMES)) {
      Files.writeString(staged.file("a"), content);
      Files.writeString(staged.file("b"), content);
      staged.commit();
    }
  }

  private void assertAlone(String... names) throws IOException {
    try (var files = Files.list(folder)) {
      assertThat(files.map(file -> file.getFileName().toString())).containsExactlyInAnyOrder(names);
    }
  }

  @Test
  void appearsOnlyWhenItIsWhole() throws IOException {
    Path target = folder.resolve("x");
    try (StagedFolder staged = StagedFolder.create(target, NAMES)) {
      Files.writeString(staged.file("a"), "1");
      assertThat(target).doesNotExist();
      assertThatThrownBy(staged::commit).isInstanceOf(NoSuchFileException.class);
    }
    assertAlone();
    make(target, "1");
    assertThat(target.resolve("b")).hasContent("1");
    assertAlone("x");
  }

  @Test
  void replacesAFolderOfItsKindAndAnEmptyOne() throws IOException {
    Path target = folder.resolve("x");
    Files.createDirectory(target);
    make(target, "1");
    make(target, "2");
    Files.delete(target.resolve("a"));
    make(target, "3");
    assertThat(target.resolve("a")).hasContent("3");
    assertAlone("x");
  }

  @Test
  void followsALinkToTheFolder() throws IOException {
    Path target = folder.resolve("x");
    make(target, "1");
    Path link = Files.createSymbolicLink(folder.resolve("link"), Path.of("x"));
    make(link, "2");
    assertThat(link).isSymbolicLink();
    assertThat(target.resolve("a")).hasContent("2");
  }

  @Test
  void replacesNothingElse() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "text");
    assertThatThrownBy(() -> StagedFolder.create(file, NAMES))
        .isInstanceOf(StoreException.class)
        .hasMessageContaining("is no folder");
    Path other = Files.createDirectory(folder.resolve("other"));
    Files.writeString(other.resolve("c"), "text");
    assertThatThrownBy(() -> StagedFolder.create(other, NAMES))
        .isInstanceOf(StoreException.class)
        .hasMessageContaining("has c in it");
    assertThatThrownBy(() -> StagedFolder.create(Path.of("/"), NAMES))
        .isInstanceOf(StoreException.class);
    assertAlone("file", "other");
  }

  @Test
  void keepsWhatIsPutThereMeanwhile() throws IOException {
    Path target = folder.resolve("x");
    make(target, "1");
    try (StagedFolder staged = StagedFolder.create(target, NAMES)) {
      Files.writeString(staged.file("a"), "2");
      Files.writeString(staged.file("b"), "2");
      Files.writeString(target.resolve("c"), "text");
      assertThatThrownBy(staged::commit).isInstanceOf(StoreException.class);
    }
    assertThat(target.resolve("a")).hasContent("1");
    assertThat(target.resolve("c")).hasContent("text");
    assertAlone("x");
  }

  @Test
  void aProcessThatIsKilledLeavesTheOldFolder() throws IOException {
    Path target = folder.resolve("x");
    make(target, "1");
    StagedFolder killed = StagedFolder.create(target, NAMES);
    Files.writeString(killed.file("a"), "2");
    assertThat(target.resolve("a")).hasContent("1");
    assertThat(killed.path().getFileName().toString()).startsWith(".x.").endsWith(".part");
  }
}
