package io.github.avf4j.attestation.internal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import java.util.UUID;

/**
 * Writes files so that a reader sees the old content or the new one, whatever happens in between,
 * and the new one after return, also after a loss of power.
 *
 * <p>The order is: write beside it, fsync, rename, fsync the directory. Thread-safe.
 */
public final class DurableFiles {
  private static final String TEMPORARY = ".avf-tmp-";
  private static final String CREATING = ".avf-new-";

  /** Called before every operation on the file system; a test ends the process in it. */
  public interface Steps {
    /** Does nothing. */
    Steps NONE = operation -> {};

    /** Called with the name of the operation that comes next. */
    void before(String operation);
  }

  private DurableFiles() {}

  /**
   * Creates a file, unless somebody else does it first: then that one stays.
   *
   * @return whether this call created it
   */
  public static boolean create(Path file, byte[] content, Steps steps) throws IOException {
    Path temporary = write(newName(file, CREATING + file.getFileName() + '-'), content, steps);
    boolean created = true;
    try {
      steps.before("link");
      // A link fails where the name exists, which a rename would replace.
      Files.createLink(file, temporary);
      steps.before("remove the temporary file");
    } catch (FileAlreadyExistsException e) {
      created = false;
    } catch (NoSuchFileException e) {
      // Whoever created the file first may have removed what stood beside it.
      if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
        throw e;
      }
      created = false;
    } finally {
      Files.deleteIfExists(temporary);
    }
    steps.before("fsync directory");
    syncDirectory(directoryOf(file));
    steps.before("return");
    return created;
  }

  /** Removes what was left by processes that ended while they created a file, which exists now. */
  public static void removeLeftoversOf(Path file) throws IOException {
    String prefix = CREATING + file.getFileName() + '-';
    removeAll(directoryOf(file), entry -> entry.getFileName().toString().startsWith(prefix));
  }

  /** Replaces a file, or creates it. */
  public static void replace(Path file, byte[] content, Steps steps) throws IOException {
    Path temporary = write(newName(file, TEMPORARY), content, steps);
    try {
      steps.before("rename");
      Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException | RuntimeException e) {
      Files.deleteIfExists(temporary);
      throw e;
    }
    steps.before("fsync directory");
    syncDirectory(directoryOf(file));
    steps.before("return");
  }

  /** Removes a file; false if there is none. */
  public static boolean remove(Path file) throws IOException {
    boolean removed = Files.deleteIfExists(file);
    syncDirectory(directoryOf(file));
    return removed;
  }

  /** Removes what a process that ended in the middle left behind. */
  public static void removeTemporaryFiles(Path directory) throws IOException {
    removeAll(directory, entry -> entry.getFileName().toString().startsWith(TEMPORARY));
  }

  private static void removeAll(Path directory, DirectoryStream.Filter<Path> which)
      throws IOException {
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, which)) {
      for (Path file : files) {
        Files.deleteIfExists(file);
      }
    } catch (DirectoryIteratorException e) {
      throw e.getCause();
    }
  }

  private static Path newName(Path file, String prefix) {
    return directoryOf(file).resolve(prefix + UUID.randomUUID());
  }

  private static Path write(Path temporary, byte[] content, Steps steps) throws IOException {
    steps.before("create");
    try (FileChannel channel =
        FileChannel.open(
            temporary,
            Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
            ownerOnly())) {
      int half = content.length / 2;
      steps.before("write the first half");
      writeAll(channel, ByteBuffer.wrap(content, 0, half));
      steps.before("write the second half");
      writeAll(channel, ByteBuffer.wrap(content, half, content.length - half));
      steps.before("fsync");
      channel.force(true);
      steps.before("close");
    } catch (IOException | RuntimeException e) {
      Files.deleteIfExists(temporary);
      throw e;
    }
    return temporary;
  }

  private static void writeAll(FileChannel channel, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }

  /** The directory that holds a file. */
  public static Path directoryOf(Path file) {
    Path parent = file.toAbsolutePath().getParent();
    if (parent == null) {
      throw new IllegalArgumentException(file + " is not the name of a file in a directory");
    }
    return parent;
  }

  /** Whether the group or others may write; false where the file system knows of neither. */
  public static boolean isWritableByOthers(Path path) throws IOException {
    PosixFileAttributeView view = Files.getFileAttributeView(path, PosixFileAttributeView.class);
    return view != null
        && view.readAttributes().permissions().stream()
            .anyMatch(
                right ->
                    right == PosixFilePermission.GROUP_WRITE
                        || right == PosixFilePermission.OTHERS_WRITE);
  }

  /** The attributes of a file for its owner alone, where the file system knows of owners. */
  public static FileAttribute<?>[] ownerOnly() {
    return posix("rw-------");
  }

  /** The attributes of a directory for its owner alone. */
  public static FileAttribute<?>[] ownerOnlyDirectory() {
    return posix("rwx------");
  }

  private static FileAttribute<?>[] posix(String permissions) {
    return FileSystems.getDefault().supportedFileAttributeViews().contains("posix")
        ? new FileAttribute<?>[] {
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(permissions))
        }
        : new FileAttribute<?>[0];
  }

  private static void syncDirectory(Path directory) throws IOException {
    // Windows cannot open a directory and needs no fsync of it.
    if (Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)
        && FileSystems.getDefault().supportedFileAttributeViews().contains("posix")) {
      try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
        channel.force(true);
      }
    }
  }
}
