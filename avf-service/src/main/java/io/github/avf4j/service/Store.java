package io.github.avf4j.service;

import io.github.avf4j.StoreException;
import io.github.avf4j.VirtualMachineConfig;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The folder that keeps machines.
 *
 * <pre>
 * lock              held by the process that uses the store
 * vm/NAME/          one machine
 *   config.json     its configuration
 *   payload.img     its payload disk, made by run(), and more for APKs: see VmFolder
 * new/              what is being made or deleted; emptied when the store is opened
 * </pre>
 *
 * <p>A machine appears and disappears in one step: a folder below {@code vm} is always whole.
 *
 * <p>Thread-safe for different names; callers serialise what they do with one name.
 */
final class Store implements AutoCloseable {
  private static final String CONFIG = "config.json";
  private static final int MAX_CONFIG = 1 << 20;

  /**
   * The stores that this JVM has open. Without it a second manager would take the lock away from
   * the first: POSIX gives up a process's lock when any of its descriptors of the file is closed.
   */
  private static final Set<Path> opened = ConcurrentHashMap.newKeySet();

  private final Path root;
  private final FileChannel lockFile;

  private Store(Path root, FileChannel lockFile) {
    this.root = root;
    this.lockFile = lockFile;
  }

  /**
   * Opens a store, which is made when it is missing.
   *
   * @throws StoreException if it cannot be written, or another manager has it open
   */
  static Store open(Path folder) {
    try {
      Files.createDirectories(folder.resolve("vm"));
      Path root = folder.toRealPath();
      if (!opened.add(root)) {
        throw new StoreException(
            "the store folder "
                + root
                + " is in use by another manager of this process: close that one first, or use it");
      }
      try {
        return openLocked(root);
      } catch (IOException | RuntimeException e) {
        opened.remove(root);
        throw e;
      }
    } catch (IOException e) {
      throw new StoreException(
          "cannot use the store folder "
              + folder
              + " ("
              + e
              + "): give a folder that can be written, on a disk that is not full",
          e);
    }
  }

  private static Store openLocked(Path root) throws IOException {
    FileChannel lockFile =
        FileChannel.open(root.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    try {
      if (lockFile.tryLock() == null) {
        throw new StoreException(
            "the store folder "
                + root
                + " is in use by another process: end that one first, or give another folder");
      }
      Store store = new Store(root, lockFile);
      deleteTree(store.workshop());
      Files.createDirectories(store.workshop());
      return store;
    } catch (IOException | RuntimeException e) {
      closeQuietly(lockFile);
      throw e;
    }
  }

  /** Returns where the files of a machine are, whether it exists or not. */
  Path folder(String name) {
    return root.resolve("vm").resolve(VmName.check(name));
  }

  boolean exists(String name) {
    return Files.isRegularFile(folder(name).resolve(CONFIG), LinkOption.NOFOLLOW_LINKS);
  }

  /**
   * Makes a machine.
   *
   * @throws StoreException if there is one of that name, or it cannot be written; nothing is left
   *     behind then
   */
  void create(String name, VirtualMachineConfig config) {
    Path folder = folder(name);
    if (Files.exists(folder, LinkOption.NOFOLLOW_LINKS)) {
      throw alreadyExists(name, null);
    }
    Path fresh = null;
    try {
      fresh =
          Files.createTempDirectory(
              workshop(),
              "create-",
              PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
      write(fresh.resolve(CONFIG), ConfigJson.write(config));
      sync(fresh);
      Files.move(fresh, folder, StandardCopyOption.ATOMIC_MOVE);
      sync(root.resolve("vm"));
    } catch (FileAlreadyExistsException | DirectoryNotEmptyException e) {
      throw alreadyExists(name, e);
    } catch (IOException e) {
      throw new StoreException(
          "cannot create the VM '"
              + name
              + "' in "
              + root
              + " ("
              + e
              + "): make room or give a"
              + " folder that can be written",
          e);
    } finally {
      if (fresh != null) {
        deleteQuietly(fresh);
      }
    }
  }

  private StoreException alreadyExists(String name, @Nullable IOException cause) {
    return new StoreException(
        "virtual machine already exists: '"
            + name
            + "' in "
            + root
            + "; use get() or getOrCreate(), or delete() it first",
        cause);
  }

  /**
   * Returns a machine's configuration, empty if there is no such machine.
   *
   * @throws StoreException if it cannot be read
   */
  Optional<VirtualMachineConfig> load(String name) {
    Path file = folder(name).resolve(CONFIG);
    try (var in = Files.newInputStream(file, LinkOption.NOFOLLOW_LINKS)) {
      byte[] content = in.readNBytes(MAX_CONFIG + 1);
      if (content.length > MAX_CONFIG) {
        throw new StoreException(
            file + " has more than " + MAX_CONFIG + " bytes: delete the VM and create it again");
      }
      return Optional.of(ConfigJson.read(file, content));
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (IOException e) {
      throw new StoreException("cannot read " + file + " (" + e + "): check its permissions", e);
    }
  }

  /**
   * Deletes a machine's files. Symbolic links are deleted, never followed.
   *
   * @throws StoreException if there is no such machine, or a file cannot be removed
   */
  void delete(String name) {
    Path folder = folder(name);
    if (!Files.exists(folder, LinkOption.NOFOLLOW_LINKS)) {
      throw new StoreException("there is no VM '" + name + "' in " + root + ": see names()");
    }
    Path doomed = null;
    try {
      doomed = Files.createTempDirectory(workshop(), "delete-");
      Files.move(folder, doomed.resolve(name), StandardCopyOption.ATOMIC_MOVE);
      sync(root.resolve("vm"));
      deleteTree(doomed);
    } catch (IOException e) {
      throw new StoreException(
          "cannot delete " + folder + " (" + e + "): check the permissions in it", e);
    } finally {
      if (doomed != null) {
        deleteQuietly(doomed);
      }
    }
  }

  /** Returns the names of all machines, sorted. */
  List<String> names() {
    try (Stream<Path> folders = Files.list(root.resolve("vm"))) {
      return folders
          .map(folder -> folder.getFileName().toString())
          .filter(name -> VmName.isAllowed(name) && exists(name))
          .sorted()
          .toList();
    } catch (IOException | UncheckedIOException e) {
      throw new StoreException("cannot list " + root + " (" + e + "): check its permissions", e);
    }
  }

  /** Lets others use the store. Idempotent. */
  @Override
  public void close() {
    if (lockFile.isOpen()) {
      closeQuietly(lockFile);
      opened.remove(root);
    }
  }

  private Path workshop() {
    return root.resolve("new");
  }

  private static void write(Path file, byte[] content) throws IOException {
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      ByteBuffer buffer = ByteBuffer.wrap(content);
      while (buffer.hasRemaining()) {
        channel.write(buffer);
      }
      channel.force(true);
    }
  }

  /** Makes names in a folder last through a power failure. */
  private static void sync(Path folder) throws IOException {
    try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  private static void deleteTree(Path tree) throws IOException {
    if (!Files.exists(tree, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    Files.walkFileTree(
        tree,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.delete(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult postVisitDirectory(Path folder, @Nullable IOException failure)
              throws IOException {
            if (failure != null) {
              throw failure;
            }
            Files.delete(folder);
            return FileVisitResult.CONTINUE;
          }
        });
  }

  private static void deleteQuietly(Path tree) {
    try {
      deleteTree(tree);
    } catch (IOException e) {
      // The next open() tries again.
    }
  }

  private static void closeQuietly(FileChannel channel) {
    try {
      channel.close();
    } catch (IOException e) {
      // Nothing was written to it.
    }
  }
}
