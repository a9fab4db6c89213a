package io.github.avf4j.microdroid.apk;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.SecureRandom;

/**
 * A file that is written next to the one it replaces, so that nobody ever sees half of it. Confined
 * to one thread.
 */
final class ReplacedFile implements AutoCloseable {
  private static final SecureRandom RANDOM = new SecureRandom();

  private final Path target;
  private final Path fresh;
  private final FileChannel channel;

  private ReplacedFile(Path target, Path fresh, FileChannel channel) {
    this.target = target;
    this.fresh = fresh;
    this.channel = channel;
  }

  /**
   * Starts an empty file.
   *
   * @throws IOException if it cannot be created, or the target is there and no regular file
   */
  static ReplacedFile of(Path target) throws IOException {
    Path file = target.toAbsolutePath();
    // A device or folder in its place must not be moved away.
    if (Files.exists(file, LinkOption.NOFOLLOW_LINKS) && !Files.isRegularFile(file)) {
      throw new FileSystemException(target.toString(), null, "is not a regular file");
    }
    Path fresh =
        file.resolveSibling("%s.%016x.new".formatted(file.getFileName(), RANDOM.nextLong()));
    FileChannel channel =
        FileChannel.open(
            fresh,
            StandardOpenOption.CREATE_NEW,
            StandardOpenOption.READ,
            StandardOpenOption.WRITE);
    return new ReplacedFile(file, fresh, channel);
  }

  FileChannel channel() {
    return channel;
  }

  /** Where the file is until it is committed. */
  Path path() {
    return fresh;
  }

  /** Puts the file in its place. */
  void commit() throws IOException {
    channel.close();
    Files.move(fresh, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  /** Removes the file unless it was committed. */
  @Override
  public void close() throws IOException {
    channel.close();
    Files.deleteIfExists(fresh);
  }
}
