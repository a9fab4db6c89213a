package io.github.avf4j.qemu.process;

import io.github.avf4j.HypervisorException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A temporary folder that only this user can enter (mode 0700). Thread-safe. */
public final class PrivateFolder implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(PrivateFolder.class);
  private static final String PREFIX = "avf-qemu-";

  /** The longest path of a folder whose sockets still have legal paths (sockaddr_un: 108 bytes). */
  private static final int MAX_LENGTH = 90;

  private final Path path;

  private PrivateFolder(Path path) {
    this.path = path;
  }

  /**
   * Makes a folder in {@code java.io.tmpdir}, or in {@code /tmp} where that has too long a path for
   * Unix sockets.
   *
   * @throws HypervisorException if it cannot be made
   */
  public static PrivateFolder create() {
    Path parent = Path.of(System.getProperty("java.io.tmpdir")).toAbsolutePath();
    // createTempDirectory appends up to 20 digits.
    if (utf8Length(parent) + 1 + PREFIX.length() + 20 > MAX_LENGTH) {
      parent = Path.of("/tmp");
    }
    try {
      return new PrivateFolder(
          Files.createTempDirectory(
              parent,
              PREFIX,
              PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"))));
    } catch (IOException e) {
      throw new HypervisorException(
          "mkdtemp(" + parent + ")",
          0,
          "cannot make a folder in "
              + parent
              + ": set java.io.tmpdir to a folder that is writable: "
              + e);
    }
  }

  private static int utf8Length(Path path) {
    return path.toString().getBytes(StandardCharsets.UTF_8).length;
  }

  /** Returns the folder. */
  public Path path() {
    return path;
  }

  /** Returns the path of a file in it. */
  public Path file(String name) {
    return path.resolve(name);
  }

  /** Deletes the folder and the files in it. Idempotent. */
  @Override
  public void close() {
    if (!Files.exists(path)) {
      return;
    }
    try (DirectoryStream<Path> files = Files.newDirectoryStream(path)) {
      for (Path file : files) {
        Files.deleteIfExists(file);
      }
      Files.deleteIfExists(path);
    } catch (IOException e) {
      if (Files.exists(path)) { // the supervisor deletes it, too
        LOG.warn("cannot delete {}: {}", path, e.toString());
      }
    }
  }
}
