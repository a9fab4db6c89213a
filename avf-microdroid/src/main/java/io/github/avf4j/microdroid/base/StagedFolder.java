package io.github.avf4j.microdroid.base;

import io.github.avf4j.StoreException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.Set;

/**
 * A folder that appears under its name with all its files, durable, or not at all: it is filled
 * under another name next to its place, beginning with a dot, and renamed when it is committed.
 *
 * <p>What it replaces must be a folder of the same kind: one with nothing but the known names. That
 * one is renamed first; a process that is killed in between leaves no folder, never half of one.
 * Confined to one thread.
 */
final class StagedFolder implements AutoCloseable {
  private static final SecureRandom RANDOM = new SecureRandom();

  private final Path target;
  private final Path staging;
  private final Set<String> names;
  private boolean committed;

  private StagedFolder(Path target, Path staging, Set<String> names) {
    this.target = target;
    this.staging = staging;
    this.names = names;
  }

  /**
   * Begins the folder that will be {@code path}, or replace it.
   *
   * @param names the files that such a folder may have
   * @throws StoreException if there is something else that would be lost
   */
  static StagedFolder create(Path path, Set<String> names) throws IOException {
    Path target =
        Files.isSymbolicLink(path) ? path.toRealPath() : path.toAbsolutePath().normalize();
    if (target.getFileName() == null) {
      throw new StoreException("cannot replace " + path + ": give another folder");
    }
    requireReplaceable(target, names);
    Files.createDirectories(parent(target));
    while (true) {
      try {
        return new StagedFolder(target, Files.createDirectory(sibling(target, "part")), names);
      } catch (FileAlreadyExistsException e) {
        // Another mark is free.
      }
    }
  }

  private static void requireReplaceable(Path target, Set<String> names) throws IOException {
    if (!Files.exists(target, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    if (!Files.isDirectory(target, LinkOption.NOFOLLOW_LINKS)) {
      throw new StoreException(
          "cannot replace " + target + ", which is no folder: give another folder");
    }
    try (DirectoryStream<Path> files = Files.newDirectoryStream(target)) {
      for (Path file : files) {
        if (!names.contains(file.getFileName().toString())) {
          throw new StoreException(
              "cannot replace "
                  + target
                  + ", which has "
                  + file.getFileName()
                  + " in it: give a new folder, or one that was made by this");
        }
      }
    }
  }

  /** A file in the folder. */
  Path file(String name) {
    return staging.resolve(name);
  }

  /** The folder while it is made. */
  Path path() {
    return staging;
  }

  /** Makes everything durable and gives the folder its name. */
  void commit() throws IOException {
    for (String name : names) {
      force(staging.resolve(name), StandardOpenOption.WRITE);
    }
    force(staging, StandardOpenOption.READ);
    // Somebody may have put files there since the beginning.
    requireReplaceable(target, names);
    if (Files.exists(target)) {
      replace();
    } else {
      Files.move(staging, target, StandardCopyOption.ATOMIC_MOVE);
    }
    committed = true;
    force(parent(target), StandardOpenOption.READ);
  }

  private void replace() throws IOException {
    Path old = sibling(target, "old");
    Files.move(target, old, StandardCopyOption.ATOMIC_MOVE);
    try {
      Files.move(staging, target, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      Files.move(old, target, StandardCopyOption.ATOMIC_MOVE);
      throw e;
    }
    for (String name : names) {
      Files.deleteIfExists(old.resolve(name));
    }
    Files.delete(old);
  }

  private static void force(Path path, StandardOpenOption option) throws IOException {
    try (FileChannel open = FileChannel.open(path, option)) {
      open.force(true);
    }
  }

  private static Path sibling(Path target, String ending) {
    byte[] mark = new byte[6];
    RANDOM.nextBytes(mark);
    return target.resolveSibling(
        "." + target.getFileName() + "." + HexFormat.of().formatHex(mark) + "." + ending);
  }

  private static Path parent(Path target) {
    Path parent = target.getParent();
    return parent == null ? target : parent;
  }

  /** Removes what was written, unless it was committed. */
  @Override
  public void close() throws IOException {
    if (!committed) {
      try (DirectoryStream<Path> files = Files.newDirectoryStream(staging)) {
        for (Path file : files) {
          Files.deleteIfExists(file);
        }
      }
      Files.deleteIfExists(staging);
    }
  }
}
