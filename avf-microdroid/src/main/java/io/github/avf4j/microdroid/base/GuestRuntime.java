package io.github.avf4j.microdroid.base;

import io.github.avf4j.InvalidImageException;
import io.github.avf4j.microdroid.CacheFolder;
import io.github.avf4j.microdroid.FileStamp;
import io.github.avf4j.microdroid.GuestArchitecture;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * The C library and loader that payloads are linked with: the folders {@code lib64}, whose files
 * are all taken, and {@code notice} with their licences, which may be missing.
 *
 * <p>Immutable and thread-safe.
 *
 * @param folder which has both
 */
public record GuestRuntime(Path folder) {
  private static final List<String> LIBRARIES =
      List.of(
          "libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1", "libgcc_s.so.1");

  private static final String ADVICE = "run bin/setup, which fetches the guest's runtime";
  private static final int HEADER = 20;
  private static final int ELF_MAGIC = 0x464c457f;
  private static final int CLASS_64 = 2;

  /** Makes the path absolute. */
  public GuestRuntime {
    folder = folder.toAbsolutePath();
  }

  /**
   * The runtime that {@code bin/setup} fetched: {@code runtime/default} in the cache folder. It
   * need not exist yet.
   */
  public static GuestRuntime installed() {
    return new GuestRuntime(CacheFolder.ofUser().path("runtime", "default"));
  }

  /** What must be there for guests with that processor, the loader first. */
  public static List<String> libraryNames(GuestArchitecture architecture) {
    return Stream.concat(Stream.of(architecture.loader()), LIBRARIES.stream()).toList();
  }

  /**
   * The libraries by their names.
   *
   * @throws InvalidImageException if one that must be there is missing, or one is not for {@code
   *     architecture}
   * @throws IOException if the folder cannot be read
   */
  SortedMap<String, Path> libraries(GuestArchitecture architecture) throws IOException {
    Path libraries = folder.resolve("lib64");
    for (String name : libraryNames(architecture)) {
      FileStamp.of(libraries.resolve(name), "guest's library", ADVICE);
    }
    SortedMap<String, Path> files = files(libraries);
    for (Path file : files.values()) {
      requireNative(file, architecture);
    }
    return files;
  }

  /** The licences by the names of the packages that they are of. */
  SortedMap<String, Path> notices() throws IOException {
    Path notices = folder.resolve("notice");
    return Files.isDirectory(notices) ? files(notices) : new TreeMap<>();
  }

  private static SortedMap<String, Path> files(Path folder) throws IOException {
    SortedMap<String, Path> files = new TreeMap<>();
    try (DirectoryStream<Path> found = Files.newDirectoryStream(folder)) {
      for (Path file : found) {
        FileStamp.of(file, "guest's file", ADVICE);
        files.put(file.getFileName().toString(), file);
      }
    }
    return files;
  }

  private static void requireNative(Path file, GuestArchitecture architecture) throws IOException {
    ByteBuffer header;
    try (InputStream in = Files.newInputStream(file)) {
      header = ByteBuffer.wrap(in.readNBytes(HEADER)).order(ByteOrder.LITTLE_ENDIAN);
    }
    if (header.limit() < HEADER
        || header.getInt(0) != ELF_MAGIC
        || header.get(4) != CLASS_64
        || header.getShort(18) != architecture.elfMachine()) {
      throw new InvalidImageException(
          "the guest's library %s is no 64-bit ELF file for %s: %s"
              .formatted(file, architecture, ADVICE));
    }
  }
}
