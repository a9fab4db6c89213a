package io.github.avf4j.attestation.seal;

import io.github.avf4j.attestation.SecretBytes;
import io.github.avf4j.attestation.internal.Digests;
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
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Set;

/**
 * A device secret in a file that is created once, with access for its owner alone.
 *
 * <p>The file appears complete and durable or not at all, and is never written again: of two
 * processes that create it at once, one wins and both use its secret. A file that is gone gives a
 * new secret, so another identity; a file that is damaged, or that others can read, is refused and
 * never replaced. Read once, then kept in memory. Thread-safe.
 */
public final class FileDeviceSecret implements DeviceSecret {
  private static final byte[] MAGIC = {'A', 'V', 'F', 'U', 'D', 'S', '1', '\n'};
  private static final int CHECKSUM_AT = MAGIC.length + SIZE;
  private static final int FILE_SIZE = CHECKSUM_AT + 32;
  private static final Set<PosixFilePermission> OTHERS =
      EnumSet.of(
          PosixFilePermission.GROUP_READ,
          PosixFilePermission.GROUP_WRITE,
          PosixFilePermission.GROUP_EXECUTE,
          PosixFilePermission.OTHERS_READ,
          PosixFilePermission.OTHERS_WRITE,
          PosixFilePermission.OTHERS_EXECUTE);

  private final Path file;
  private final SecretBytes secret;

  private FileDeviceSecret(Path file, SecretBytes secret) {
    this.file = file;
    this.secret = secret;
  }

  /**
   * Opens the file, or creates it with 32 random bytes. Missing directories are created. Blocks on
   * the file system.
   *
   * @throws DeviceSecretException if the file cannot be read or created, is damaged, is accessible
   *     to others, or is in a directory that others may write to
   */
  public static FileDeviceSecret openOrCreate(Path file) {
    return openOrCreate(file, DurableFiles.Steps.NONE);
  }

  static FileDeviceSecret openOrCreate(Path file, DurableFiles.Steps steps) {
    Path absolute = file.toAbsolutePath();
    try {
      if (!Files.exists(absolute, LinkOption.NOFOLLOW_LINKS)) {
        create(absolute, steps);
      }
      FileDeviceSecret opened = open(absolute);
      removeLeftovers(absolute);
      return opened;
    } catch (IOException | UnsupportedOperationException e) {
      throw new DeviceSecretException(
          "cannot create or read the device secret " + absolute + ": " + e.getMessage(), e);
    }
  }

  // A second name of the file would outlive its removal, which is to be the end of an identity.
  private static void removeLeftovers(Path file) throws IOException {
    try {
      DurableFiles.removeLeftoversOf(file);
    } catch (AccessDeniedException | ReadOnlyFileSystemException e) {
      // Whoever may only read the directory left nothing in it.
    }
  }

  private static void create(Path file, DurableFiles.Steps steps) throws IOException {
    Path directory = DurableFiles.directoryOf(file);
    if (!Files.isDirectory(directory)) {
      Files.createDirectories(directory, DurableFiles.ownerOnlyDirectory());
    }
    checkDirectory(directory);
    byte[] content = Arrays.copyOf(MAGIC, FILE_SIZE);
    byte[] random = new byte[SIZE];
    try {
      new SecureRandom().nextBytes(random);
      System.arraycopy(random, 0, content, MAGIC.length, SIZE);
      System.arraycopy(checksum(content), 0, content, CHECKSUM_AT, 32);
      // Where another process was faster, its secret counts.
      DurableFiles.create(file, content, steps);
    } finally {
      Arrays.fill(content, (byte) 0);
      Arrays.fill(random, (byte) 0);
    }
  }

  private static byte[] checksum(byte[] content) {
    MessageDigest digest = Digests.sha256();
    digest.update(content, 0, CHECKSUM_AT);
    return digest.digest();
  }

  private static FileDeviceSecret open(Path file) throws IOException {
    checkDirectory(DurableFiles.directoryOf(file));
    checkAccess(file);
    byte[] content = read(file);
    try {
      if (content.length != FILE_SIZE
          || !Arrays.equals(content, 0, MAGIC.length, MAGIC, 0, MAGIC.length)
          || !MessageDigest.isEqual(
              checksum(content), Arrays.copyOfRange(content, CHECKSUM_AT, FILE_SIZE))) {
        throw new DeviceSecretException(
            "device secret "
                + file
                + " is damaged: restore it, or remove it to give this device a new identity");
      }
      return new FileDeviceSecret(
          file, SecretBytes.takeOver(Arrays.copyOfRange(content, MAGIC.length, CHECKSUM_AT)));
    } finally {
      Arrays.fill(content, (byte) 0);
    }
  }

  private static byte[] read(Path file) throws IOException {
    try (var in = Files.newInputStream(file, LinkOption.NOFOLLOW_LINKS)) {
      return in.readNBytes(FILE_SIZE + 1);
    } catch (NoSuchFileException e) {
      throw new DeviceSecretException("device secret " + file + " was removed meanwhile", e);
    }
  }

  private static void checkDirectory(Path directory) throws IOException {
    if (DurableFiles.isWritableByOthers(directory)) {
      throw new DeviceSecretException(
          "others may replace the device secret in " + directory + ": run chmod go-w on it");
    }
  }

  private static void checkAccess(Path file) throws IOException {
    PosixFileAttributeView view =
        Files.getFileAttributeView(file, PosixFileAttributeView.class, LinkOption.NOFOLLOW_LINKS);
    if (view == null) {
      return;
    }
    PosixFileAttributes attributes = view.readAttributes();
    if (!attributes.isRegularFile()) {
      throw new DeviceSecretException("device secret " + file + " must be a regular file");
    }
    Set<PosixFilePermission> others = EnumSet.copyOf(OTHERS);
    others.retainAll(attributes.permissions());
    if (!others.isEmpty()) {
      throw new DeviceSecretException(
          "device secret " + file + " must be accessible to its owner alone: run chmod 600 on it");
    }
  }

  @Override
  public String description() {
    return "file " + file;
  }

  @Override
  public SecretBytes secret() {
    return secret.copy();
  }

  @Override
  public String toString() {
    return "FileDeviceSecret[" + file + "]";
  }
}
