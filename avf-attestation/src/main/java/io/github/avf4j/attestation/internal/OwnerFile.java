package io.github.avf4j.attestation.internal;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.ReadOnlyFileSystemException;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A file with a secret that is created once, with access for its owner alone: a mark, the content,
 * and a checksum.
 *
 * <p>The file appears complete and durable or not at all, and is never written again: of two
 * processes that create it at once, one wins and both read its content. A file that is damaged, or
 * that others can read, is refused and never replaced. Confined to one thread.
 */
public final class OwnerFile {
  private static final int CHECKSUM = 32;
  private static final Set<PosixFilePermission> OTHERS =
      EnumSet.of(
          PosixFilePermission.GROUP_READ,
          PosixFilePermission.GROUP_WRITE,
          PosixFilePermission.GROUP_EXECUTE,
          PosixFilePermission.OTHERS_READ,
          PosixFilePermission.OTHERS_WRITE,
          PosixFilePermission.OTHERS_EXECUTE);

  private final Path file;
  private final Kind kind;

  /**
   * What a file holds.
   *
   * @param name for messages, such as "device secret"
   * @param ifRemoved what removing a damaged file does, for messages
   * @param magic the first bytes
   * @param maxSize of the content, in bytes
   * @param fault makes the exception of a reason and a cause
   */
  public record Kind(
      String name, String ifRemoved, byte[] magic, int maxSize, FaultFactory fault) {}

  /** Makes the exceptions of a kind of file. */
  public interface FaultFactory {
    /** An exception whose reason says what to do. */
    RuntimeException of(String reason, @Nullable Throwable cause);
  }

  private OwnerFile(Path file, Kind kind) {
    this.file = file;
    this.kind = kind;
  }

  /**
   * Reads a file, or creates it first. Missing directories are created. Blocks on the file system.
   *
   * @param content what it holds if it is created; wiped after use
   * @return the content, which the caller wipes
   * @throws RuntimeException of the kind's factory if the file cannot be read or created, is
   *     damaged, is accessible to others, or is in a directory that others may write to
   */
  public static byte[] openOrCreate(
      Path file, Kind kind, Supplier<byte[]> content, DurableFiles.Steps steps) {
    return new OwnerFile(file.toAbsolutePath(), kind).openOrCreate(content, steps);
  }

  private byte[] openOrCreate(Supplier<byte[]> content, DurableFiles.Steps steps) {
    try {
      if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
        create(content, steps);
      }
      byte[] opened = open();
      removeLeftovers();
      return opened;
    } catch (IOException | UnsupportedOperationException e) {
      throw fault("cannot create or read the " + kind.name + " " + file + ": " + e.getMessage(), e);
    }
  }

  // A second name of the file would outlive its removal, which is to be the end of an identity.
  private void removeLeftovers() throws IOException {
    try {
      DurableFiles.removeLeftoversOf(file);
    } catch (AccessDeniedException | ReadOnlyFileSystemException e) {
      // Whoever may only read the directory left nothing in it.
    }
  }

  private void create(Supplier<byte[]> source, DurableFiles.Steps steps) throws IOException {
    Path directory = DurableFiles.directoryOf(file);
    if (!Files.isDirectory(directory)) {
      Files.createDirectories(directory, DurableFiles.ownerOnlyDirectory());
    }
    checkDirectory(directory);
    byte[] content = source.get();
    int end = kind.magic.length + content.length;
    byte[] whole = Arrays.copyOf(kind.magic, end + CHECKSUM);
    try {
      System.arraycopy(content, 0, whole, kind.magic.length, content.length);
      System.arraycopy(checksum(whole, end), 0, whole, end, CHECKSUM);
      // Where another process was faster, its content counts.
      DurableFiles.create(file, whole, steps);
    } finally {
      Arrays.fill(content, (byte) 0);
      Arrays.fill(whole, (byte) 0);
    }
  }

  private static byte[] checksum(byte[] whole, int end) {
    MessageDigest digest = Digests.sha256();
    digest.update(whole, 0, end);
    return digest.digest();
  }

  private byte[] open() throws IOException {
    checkDirectory(DurableFiles.directoryOf(file));
    checkAccess();
    byte[] whole = read();
    try {
      int start = kind.magic.length;
      int end = whole.length - CHECKSUM;
      if (end < start
          || end - start > kind.maxSize
          || !Arrays.equals(whole, 0, start, kind.magic, 0, start)
          || !MessageDigest.isEqual(
              checksum(whole, end), Arrays.copyOfRange(whole, end, whole.length))) {
        throw damaged(file, kind, null);
      }
      return Arrays.copyOfRange(whole, start, end);
    } finally {
      Arrays.fill(whole, (byte) 0);
    }
  }

  /** The exception for content that is not what was once written. */
  public static RuntimeException damaged(Path file, Kind kind, @Nullable Throwable cause) {
    return kind.fault.of(
        "%s %s is damaged: restore it, or remove it to %s"
            .formatted(kind.name, file.toAbsolutePath(), kind.ifRemoved),
        cause);
  }

  private byte[] read() throws IOException {
    try (var in = Files.newInputStream(file, LinkOption.NOFOLLOW_LINKS)) {
      return in.readNBytes(kind.magic.length + kind.maxSize + CHECKSUM + 1);
    } catch (NoSuchFileException e) {
      throw fault(kind.name + " " + file + " was removed meanwhile", e);
    }
  }

  private void checkDirectory(Path directory) throws IOException {
    if (DurableFiles.isWritableByOthers(directory)) {
      throw fault(
          "others may replace the " + kind.name + " in " + directory + ": run chmod go-w on it",
          null);
    }
  }

  private void checkAccess() throws IOException {
    PosixFileAttributeView view =
        Files.getFileAttributeView(file, PosixFileAttributeView.class, LinkOption.NOFOLLOW_LINKS);
    if (view == null) {
      return;
    }
    PosixFileAttributes attributes = view.readAttributes();
    if (!attributes.isRegularFile()) {
      throw fault(kind.name + " " + file + " must be a regular file", null);
    }
    Set<PosixFilePermission> others = EnumSet.copyOf(OTHERS);
    others.retainAll(attributes.permissions());
    if (!others.isEmpty()) {
      throw fault(
          kind.name + " " + file + " must be accessible to its owner alone: run chmod 600 on it",
          null);
    }
  }

  private RuntimeException fault(String reason, @Nullable Throwable cause) {
    return kind.fault.of(reason, cause);
  }
}
