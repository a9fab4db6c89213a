package io.github.avf4j.microdroid.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AtomicFileTest {
  @TempDir Path folder;

  @Test
  void leavesNothingUnlessCommitted() throws Exception {
    Path target = folder.resolve("a");
    Files.writeString(target, "old");
    try (AtomicFile file = AtomicFile.create(target)) {
      file.write(0, ByteBuffer.wrap(new byte[10]));
      assertThat(target).hasContent("old");
    }
    assertThat(target).hasContent("old");
    assertThat(folder).isDirectoryContaining(target::equals);
    try (var files = Files.list(folder)) {
      assertThat(files).hasSize(1);
    }
  }

  @Test
  void replacesWhatWasThere() throws Exception {
    Path target = folder.resolve("a");
    Files.writeString(target, "old");
    AtomicFile.write(target, "new".getBytes());
    assertThat(target).hasContent("new");
  }

  @Test
  void isForItsOwnerOnlyIfAsked() throws Exception {
    Path target = folder.resolve("a");
    try (AtomicFile file =
        AtomicFile.create(target, PosixFilePermissions.fromString("rw-------"))) {
      file.write(0, ByteBuffer.wrap(new byte[10]));
      file.commitUnsynced();
    }
    assertThat(target).hasSize(10);
    assertThat(Files.getPosixFilePermissions(target))
        .isEqualTo(PosixFilePermissions.fromString("rw-------"));
  }

  @Test
  void followsALink() throws Exception {
    Path target = folder.resolve("a");
    Files.writeString(target, "old");
    Path link = Files.createSymbolicLink(folder.resolve("link"), target);
    AtomicFile.write(link, "new".getBytes());
    assertThat(target).hasContent("new");
    assertThat(link).isSymbolicLink();
  }

  @Test
  void doesNotReplaceAFolder() throws Exception {
    Path target = Files.createDirectory(folder.resolve("d"));
    assertThatThrownBy(() -> AtomicFile.write(target, new byte[1]))
        .isInstanceOf(FileSystemException.class)
        .hasMessageContaining("not a regular file");
  }
}
