package io.github.avf4j.virtio.blk;

import io.github.avf4j.InvalidImageException;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;

/**
 * A disk that is a raw image file, through a {@link FileChannel}. Its size is what the file had
 * when it was opened. It gives no storage back to the host, as the JDK cannot punch holes; a
 * backend that can wraps it. Thread-safe.
 */
public final class FileBackend implements BlockBackend {
  private static final ByteBuffer ZEROS = ByteBuffer.allocateDirect(1 << 16).asReadOnlyBuffer();

  private final FileChannel file;
  private final long size;

  private FileBackend(FileChannel file, long size) {
    this.file = file;
    this.size = size;
  }

  /**
   * Opens {@code image}.
   *
   * @throws InvalidImageException if it is no regular file, cannot be opened, or its length is not
   *     a nonzero multiple of 512 bytes
   */
  public static FileBackend open(Path image, boolean readOnly) {
    return open(image, image, readOnly);
  }

  /**
   * Opens {@code image} through another name of the same file, such as that of an open descriptor;
   * errors speak of {@code image}.
   *
   * @throws InvalidImageException as {@link #open(Path, boolean)}
   */
  public static FileBackend open(Path image, Path name, boolean readOnly) {
    if (!Files.isRegularFile(name)) {
      throw new InvalidImageException(
          "the disk image " + image + " is not a regular file: check the path");
    }
    Set<StandardOpenOption> options =
        readOnly
            ? Set.of(StandardOpenOption.READ)
            : Set.of(StandardOpenOption.READ, StandardOpenOption.WRITE);
    try {
      FileChannel file = FileChannel.open(name, options);
      try {
        return new FileBackend(file, requireWhole(image, file.size()));
      } catch (IOException | RuntimeException e) {
        file.close();
        throw e;
      }
    } catch (IOException e) {
      throw new InvalidImageException(
          readOnly
              ? "cannot open the disk image " + image + ": " + e + ": give this user access to it"
              : "cannot open the disk image "
                  + image
                  + " for writing: "
                  + e
                  + ": give this user access to it, or make it read-only",
          e);
    }
  }

  private static long requireWhole(Path image, long size) {
    if (size == 0 || size % BlkDevice.SECTOR_SIZE != 0) {
      throw new InvalidImageException(
          "the length of the disk image "
              + image
              + " must be a nonzero multiple of 512 bytes but is "
              + size);
    }
    return size;
  }

  @Override
  public long size() {
    return size;
  }

  @Override
  public void read(ByteBuffer target, long position) throws IOException {
    long at = position;
    while (target.hasRemaining()) {
      int part = file.read(target, at);
      if (part < 0) {
        throw new EOFException("the disk image was cut at " + at + " while in use");
      }
      at += part;
    }
  }

  @Override
  public void write(ByteBuffer source, long position) throws IOException {
    long at = position;
    while (source.hasRemaining()) {
      at += file.write(source, at);
    }
  }

  @Override
  public void flush() throws IOException {
    file.force(false);
  }

  @Override
  public void writeZeroes(long position, long length) throws IOException {
    for (long done = 0; done < length; ) {
      int part = (int) Math.min(ZEROS.capacity(), length - done);
      write(ZEROS.slice(0, part), position + done);
      done += part;
    }
  }

  @Override
  public void close() {
    try {
      file.close();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot close a disk image", e);
    }
  }
}
