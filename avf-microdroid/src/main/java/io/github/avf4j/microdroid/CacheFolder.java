package io.github.avf4j.microdroid;

import io.github.avf4j.StoreException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;

/**
 * The user's folder for files that can be made again, each named by its content.
 *
 * <p>A file appears in one step and complete, also when several processes make it at once or one of
 * them is killed. Nothing is ever changed in place, so that machines may map files of it.
 *
 * <p>Thread-safe.
 */
public final class CacheFolder {
  private static final String NEW = ".new-";
  private static final Duration ABANDONED = Duration.ofHours(1);

  private final Path root;

  /** Makes a cache in {@code root}, which need not exist yet. */
  public CacheFolder(Path root) {
    this.root = root;
  }

  /** Returns {@code $XDG_CACHE_HOME/avf4j}, or {@code ~/.cache/avf4j} when that is not set. */
  public static CacheFolder ofUser() {
    String configured = System.getenv("XDG_CACHE_HOME");
    Path cache =
        configured == null || configured.isBlank()
            ? Path.of(System.getProperty("user.home"), ".cache")
            : Path.of(configured);
    return new CacheFolder(cache.resolve("avf4j").toAbsolutePath());
  }

  /** Writes the content of a file. */
  @FunctionalInterface
  public interface Content {
    /** Writes all of it; the stream is closed by the caller. */
    void writeTo(OutputStream out) throws IOException;
  }

  /** Returns a name that stands for {@code content}: its SHA-256 in hexadecimal. */
  public static String nameOf(byte[] content) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java platform has SHA-256", e);
    }
  }

  /**
   * Returns the file of that kind and name; makes it if it is not there.
   *
   * @param kind the sub-folder
   * @param name a name that stands for the content, see {@link #nameOf}
   * @throws StoreException if it cannot be written
   */
  public Path file(String kind, String name, Content content) {
    Path file = path(kind, name);
    return Files.isRegularFile(file) ? file : replace(kind, name, content);
  }

  /** Returns where the sub-folder of a kind is or would be. */
  public Path path(String kind) {
    return root.resolve(kind);
  }

  /** Returns where the file or folder of that kind and name is or would be. */
  public Path path(String kind, String name) {
    return root.resolve(kind).resolve(name);
  }

  /** Makes the file of that kind and name, also if there is one; see {@link #file}. */
  Path replace(String kind, String name, Content content) {
    Path folder = root.resolve(kind);
    Path file = folder.resolve(name);
    try {
      Files.createDirectories(folder);
      removeAbandoned(folder);
      Path fresh = Files.createTempFile(folder, NEW, "");
      try {
        try (FileChannel channel = FileChannel.open(fresh, StandardOpenOption.WRITE);
            OutputStream out = Channels.newOutputStream(channel)) {
          content.writeTo(out);
          channel.force(true);
        }
        Files.move(
            fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      } finally {
        Files.deleteIfExists(fresh);
      }
      return file;
    } catch (IOException e) {
      throw new StoreException(
          "cannot write "
              + file
              + " ("
              + e
              + "): make room, or set XDG_CACHE_HOME to a folder that can be written",
          e);
    }
  }

  private static void removeAbandoned(Path folder) throws IOException {
    Instant limit = Instant.now().minus(ABANDONED);
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, NEW + '*')) {
      for (Path file : files) {
        try {
          if (Files.getLastModifiedTime(file).toInstant().isBefore(limit)) {
            Files.deleteIfExists(file);
          }
        } catch (NoSuchFileException e) {
          // Its maker has just finished it.
        }
      }
    }
  }
}
