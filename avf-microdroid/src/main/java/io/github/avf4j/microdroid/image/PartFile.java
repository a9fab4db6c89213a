package io.github.avf4j.microdroid.image;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * What is written of a file that has no name yet: {@code .NAME.MARK.part} beside its place, locked
 * as long as its writer lives, and companions whose names go on with a dash.
 *
 * <p>A companion is there only as long as its part is, so that a part that nobody locks is all it
 * takes to know that a writer died. Confined to one thread, but for {@link #create} and {@link
 * #removeDead}.
 */
final class PartFile {
  private static final String SUFFIX = ".part";
  private static final int MARK_BYTES = 6;
  private static final SecureRandom RANDOM = new SecureRandom();

  /**
   * The parts of this process, by what tells files apart. Closing any channel of a file gives up
   * all locks that the process has on it, so that these must not even be opened; guarded by itself.
   */
  private static final Set<Object> LIVE = new HashSet<>();

  private final Path path;
  private final FileChannel channel;
  private final Object key;
  private boolean hasCompanions;

  private PartFile(Path path, FileChannel channel, Object key) {
    this.path = path;
    this.channel = channel;
    this.key = key;
  }

  /** Starts the part of a file; no permissions stand for all that the process may give. */
  static PartFile create(Path target, Set<PosixFilePermission> permissions) throws IOException {
    FileAttribute<?>[] attributes =
        permissions.isEmpty()
            ? new FileAttribute<?>[0]
            : new FileAttribute<?>[] {PosixFilePermissions.asFileAttribute(permissions)};
    String prefix = prefix(target);
    while (true) {
      byte[] mark = new byte[MARK_BYTES];
      RANDOM.nextBytes(mark);
      Path path = target.resolveSibling(prefix + HexFormat.of().formatHex(mark) + SUFFIX);
      synchronized (LIVE) {
        FileChannel channel;
        try {
          channel =
              FileChannel.open(
                  path,
                  Set.of(
                      StandardOpenOption.CREATE_NEW,
                      StandardOpenOption.READ,
                      StandardOpenOption.WRITE),
                  attributes);
        } catch (FileAlreadyExistsException e) {
          continue;
        }
        boolean kept = false;
        try {
          boolean locked = lock(channel);
          // Until it was locked, another process could take it for a dead one's and remove it.
          Optional<Object> key = key(path);
          if (locked && key.isPresent()) {
            LIVE.add(key.get());
            kept = true;
            return new PartFile(path, channel, key.get());
          }
        } finally {
          if (!kept) {
            channel.close();
            Files.deleteIfExists(path);
          }
        }
      }
    }
  }

  /** Locks a fresh part; where there are no locks, nobody can take it for dead either. */
  private static boolean lock(FileChannel channel) {
    try {
      return channel.tryLock() != null;
    } catch (OverlappingFileLockException e) {
      return false;
    } catch (IOException e) {
      return true;
    }
  }

  private static Optional<Object> key(Path path) throws IOException {
    try {
      Object key =
          Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
              .fileKey();
      // A file system that cannot tell files apart is trusted to keep names apart.
      return Optional.of(key == null ? path : key);
    } catch (NoSuchFileException e) {
      return Optional.empty();
    }
  }

  private static String prefix(Path target) {
    String name = String.valueOf(target.getFileName());
    return (name.startsWith(".") ? name : "." + name) + ".";
  }

  /**
   * Removes the parts of writers of this file that are dead. What cannot be removed stays: it is in
   * nobody's way.
   */
  static void removeDead(Path target) {
    Path folder = target.getParent();
    if (folder == null) {
      return;
    }
    Pattern form =
        Pattern.compile(
            Pattern.quote(prefix(target)) + "[0-9a-f]{" + 2 * MARK_BYTES + "}" + SUFFIX);
    try {
      for (Path path : list(folder, name -> form.matcher(name).matches())) {
        removeIfDead(path);
      }
    } catch (IOException e) {
      // Whoever writes next tries again; and if the folder cannot be used, writing says so.
    }
  }

  private static void removeIfDead(Path path) throws IOException {
    synchronized (LIVE) {
      Optional<Object> key = key(path);
      if (key.isEmpty()
          || LIVE.contains(key.get())
          || !Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)) {
        return;
      }
      try (FileChannel channel =
          FileChannel.open(
              path, StandardOpenOption.READ, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS)) {
        if (channel.tryLock() != null) {
          deleteCompanions(path);
          Files.deleteIfExists(path);
        }
      } catch (IOException | OverlappingFileLockException e) {
        // It lives, belongs to somebody else, or is gone.
      }
    }
  }

  private static void deleteCompanions(Path part) throws IOException {
    String prefix = part.getFileName() + "-";
    for (Path companion : list(part.resolveSibling("."), name -> name.startsWith(prefix))) {
      Files.deleteIfExists(companion);
    }
  }

  /** Tells names apart. */
  @FunctionalInterface
  private interface NameFilter {
    boolean accepts(String name);
  }

  private static List<Path> list(Path folder, NameFilter filter) throws IOException {
    List<Path> found = new ArrayList<>();
    try (DirectoryStream<Path> files =
        Files.newDirectoryStream(
            folder, file -> filter.accepts(String.valueOf(file.getFileName())))) {
      files.forEach(found::add);
    } catch (DirectoryIteratorException e) {
      throw e.getCause();
    }
    return found;
  }

  Path path() {
    return path;
  }

  FileChannel channel() {
    return channel;
  }

  /** The path of a companion. */
  Path companion(String name) {
    hasCompanions = true;
    return path.resolveSibling(path.getFileName() + "-" + name);
  }

  /** Ends it: what still has its name, or the name of a companion, is removed. */
  void remove() throws IOException {
    synchronized (LIVE) {
      try {
        if (hasCompanions) {
          deleteCompanions(path);
        }
        Files.deleteIfExists(path);
      } finally {
        LIVE.remove(key);
        channel.close();
      }
    }
  }
}
