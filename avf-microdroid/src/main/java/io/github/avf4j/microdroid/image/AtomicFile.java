package io.github.avf4j.microdroid.image;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.util.Set;

/**
 * A file that appears under its name whole and durable, or not at all: it is written next to its
 * place under another name, beginning with a dot and ending with {@code .part}, and renamed when it
 * is committed. Closing it without that removes what was written.
 *
 * <p>A process that is killed leaves the other name. The next one that writes the same file removes
 * it: a part whose writer lives is locked, and the system frees the lock when the writer is gone.
 * Parts of other files, and those on a file system without locks, stay.
 *
 * <p>Confined to one thread.
 */
public final class AtomicFile implements AutoCloseable {
  private final Path target;
  private final PartFile part;
  private boolean committed;

  private AtomicFile(Path target, PartFile part) {
    this.target = target;
    this.part = part;
  }

  /**
   * Begins the file that will be {@code path}, or replace it. Where that is a symbolic link, the
   * file that it points to is replaced.
   *
   * @throws FileSystemException if there is something other than a regular file
   */
  public static AtomicFile create(Path path) throws IOException {
    return create(path, Set.of());
  }

  /**
   * Begins a file as {@link #create(Path)} does.
   *
   * @param permissions of the file, as far as the process's file mode mask allows them; empty for
   *     all that it allows
   */
  public static AtomicFile create(Path path, Set<PosixFilePermission> permissions)
      throws IOException {
    Path target = Files.isSymbolicLink(path) ? path.toRealPath() : path.toAbsolutePath();
    if (Files.exists(target, LinkOption.NOFOLLOW_LINKS)
        && !Files.isRegularFile(target, LinkOption.NOFOLLOW_LINKS)) {
      // A rename would put the file in the place of a device or a socket.
      throw new FileSystemException(path.toString(), null, "is not a regular file");
    }
    PartFile.removeDead(target);
    return new AtomicFile(target, PartFile.create(target, permissions));
  }

  /** Writes a whole file. */
  public static void write(Path path, byte[] content) throws IOException {
    try (AtomicFile file = create(path)) {
      file.write(0, ByteBuffer.wrap(content));
      file.commit();
    }
  }

  /** What is written, and may be read again. */
  public FileChannel channel() {
    return part.channel();
  }

  /**
   * The path of another file next to this one, which the caller may create for as long as this is
   * open: for what only takes paths. It goes when this is closed, or with the part of a dead
   * writer.
   *
   * @param name tells it from others, of letters and digits
   */
  public Path scratch(String name) {
    return part.companion(name);
  }

  /** A stream to where the channel stands; closing it closes the channel, too. */
  public OutputStream stream() {
    return Channels.newOutputStream(channel());
  }

  /** Writes all of a buffer at a position. */
  public void write(long position, ByteBuffer bytes) throws IOException {
    long at = position;
    while (bytes.hasRemaining()) {
      at += channel().write(bytes, at);
    }
  }

  /** Makes the file at least {@code size} bytes long, with a hole where nothing was written. */
  public void extendTo(long size) throws IOException {
    if (channel().size() < size) {
      write(size - 1, ByteBuffer.allocate(1));
    }
  }

  /** Makes the content durable and gives the file its name. */
  public void commit() throws IOException {
    channel().force(true);
    move(part.path());
    forceFolder();
  }

  /**
   * Gives the file its name without waiting for the disk. The file is whole whatever happens to
   * this process, but may have any content after a loss of power: for what is checked before it is
   * used and can be made again.
   */
  public void commitUnsynced() throws IOException {
    move(part.path());
  }

  /** The same for a file that was made at {@link #scratch} instead of what was written here. */
  public void commit(Path scratch) throws IOException {
    try (FileChannel made = FileChannel.open(scratch, StandardOpenOption.WRITE)) {
      made.force(true);
    }
    move(scratch);
    forceFolder();
  }

  private void move(Path whole) throws IOException {
    Files.move(whole, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    committed = true;
    part.remove();
  }

  private void forceFolder() throws IOException {
    Path folder = target.getParent();
    if (folder != null) {
      try (FileChannel open = FileChannel.open(folder)) {
        open.force(true);
      }
    }
  }

  /** Removes what was written, unless it was committed. */
  @Override
  public void close() throws IOException {
    if (!committed) {
      part.remove();
    }
  }
}
