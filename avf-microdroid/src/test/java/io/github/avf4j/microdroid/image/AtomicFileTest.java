package io.github.avf4j.microdroid.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.TimeUnit;
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

  private Path part(String mark) {
    return folder.resolve(".a." + mark + ".part");
  }

  @Test
  void removesThePartsOfDeadWritersOfTheSameFile() throws Exception {
    Path target = folder.resolve("a");
    Path dead = Files.writeString(part("00112233aabb"), "half");
    Path companion = Files.writeString(folder.resolve(dead.getFileName() + "-zip"), "half");
    Path nested =
        Files.writeString(folder.resolve(dead.getFileName() + "-zip.00112233aabb.part"), "half");
    AtomicFile.write(target, new byte[1]);
    assertThat(dead).doesNotExist();
    assertThat(companion).doesNotExist();
    assertThat(nested).doesNotExist();
  }

  @Test
  void leavesWhatIsNotAPartOfTheSameFile() throws Exception {
    Path target = folder.resolve("a");
    List<Path> others =
        List.of(
            Files.writeString(folder.resolve(".b.00112233aabb.part"), "x"),
            Files.writeString(folder.resolve(".a.b.00112233aabb.part"), "x"),
            Files.writeString(part("00112233aabbcc"), "x"),
            Files.writeString(part("00112233AABB"), "x"),
            Files.writeString(part("mine"), "x"),
            Files.createDirectory(part("00112233aa00")),
            Files.createSymbolicLink(part("00112233aa01"), folder.resolve("elsewhere")),
            Files.writeString(folder.resolve("elsewhere"), "x"));
    AtomicFile.write(target, new byte[1]);
    assertThat(others).allMatch(Files::exists);
  }

  @Test
  void leavesThePartsOfWritersThatLive() throws Exception {
    Path target = folder.resolve("a");
    try (AtomicFile first = AtomicFile.create(target);
        AtomicFile second = AtomicFile.create(target)) {
      Files.writeString(first.scratch("more"), "x");
      first.write(0, ByteBuffer.wrap("first".getBytes()));
      second.write(0, ByteBuffer.wrap("second".getBytes()));
      second.commit();
      assertThat(first.scratch("more")).exists();
      first.commit();
    }
    assertThat(target).hasContent("first");
    assertThat(folder.toFile().list()).containsExactly("a");
  }

  @Test
  void takesAScratchFileInstead() throws Exception {
    Path target = folder.resolve("a");
    try (AtomicFile file = AtomicFile.create(target)) {
      Files.writeString(file.scratch("one"), "one");
      AtomicFile.write(file.scratch("two"), "two".getBytes());
      file.commit(file.scratch("two"));
    }
    assertThat(target).hasContent("two");
    assertThat(folder.toFile().list()).containsExactly("a");
  }

  /** Holds a part until its input ends, as {@link #knowsProcessesThatLiveFromDeadOnes} runs it. */
  static final class Writer {
    private Writer() {}

    public static void main(String[] arguments) throws Exception {
      AtomicFile file = AtomicFile.create(Path.of(arguments[0]));
      Files.writeString(file.scratch("more"), "x");
      System.out.println("writing");
      if (System.in.read() >= 0) {
        file.commit();
      }
    }
  }

  @Test
  void knowsProcessesThatLiveFromDeadOnes() throws Exception {
    Path target = folder.resolve("a");
    Process writer =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                Writer.class.getName(),
                target.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try {
      assertThat(writer.inputReader().readLine()).isEqualTo("writing");
      AtomicFile.write(target, "new".getBytes());
      assertThat(folder.toFile().list()).as("target, part and companion").hasSize(3);
    } finally {
      writer.destroyForcibly();
      assertThat(writer.waitFor(30, TimeUnit.SECONDS)).isTrue();
    }
    assertThat(folder.toFile().list()).as("what was killed stays").hasSize(3);
    AtomicFile.write(target, "newer".getBytes());
    assertThat(folder.toFile().list()).containsExactly("a");
    assertThat(target).hasContent("newer");
  }
}
