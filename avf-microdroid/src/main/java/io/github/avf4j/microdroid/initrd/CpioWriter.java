package io.github.avf4j.microdroid.initrd;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;

/**
 * Writes a cpio archive in the format "newc", the one that Linux takes as an initial RAM disk.
 *
 * <p>The same entries give the same bytes: owner 0, time 0, inode numbers in order. Names are
 * relative.
 *
 * <p>Confined to one thread.
 *
 * @see <a href="https://docs.kernel.org/driver-api/early-userspace/buffer-format.html">initramfs
 *     buffer format</a>
 */
public final class CpioWriter {
  /** How many bytes a file may have: the format counts them with 32 bits. */
  public static final long MAX_CONTENT = 0xffff_ffffL;

  private static final int DIRECTORY = 0040000;
  private static final int REGULAR_FILE = 0100000;
  private static final int CHARACTER_DEVICE = 0020000;
  private static final int SYMBOLIC_LINK = 0120777;
  private static final int ALIGNMENT = 4;

  private final OutputStream out;
  private long position;
  private int inode;

  /** Makes a writer to {@code out}, which stays open. */
  public CpioWriter(OutputStream out) {
    this.out = out;
  }

  /** Writes a folder; those above it must have been written. */
  public void directory(String name, int permissions) throws IOException {
    header(name, DIRECTORY | permissions, 2, 0, 0, 0);
  }

  /** Writes a character device node. */
  public void characterDevice(String name, int permissions, int major, int minor)
      throws IOException {
    header(name, CHARACTER_DEVICE | permissions, 1, 0, major, minor);
  }

  /** Writes a symbolic link. */
  public void symbolicLink(String name, String target) throws IOException {
    byte[] content = target.getBytes(StandardCharsets.UTF_8);
    header(name, SYMBOLIC_LINK, 1, content.length, 0, 0);
    write(content, content.length);
    align();
  }

  /** Writes a file. */
  public void file(String name, int permissions, byte[] content) throws IOException {
    header(name, REGULAR_FILE | permissions, 1, content.length, 0, 0);
    write(content, content.length);
    align();
  }

  /**
   * Writes a file of {@code size} bytes, at most {@link #MAX_CONTENT}.
   *
   * @throws IOException also if {@code content} has fewer or more bytes
   */
  public void file(String name, int permissions, long size, InputStream content)
      throws IOException {
    header(name, REGULAR_FILE | permissions, 1, size, 0, 0);
    byte[] buffer = new byte[1 << 16];
    long copied = 0;
    int count;
    while ((count = content.read(buffer)) > 0) {
      copied += count;
      if (copied > size) {
        break;
      }
      write(buffer, count);
    }
    if (copied != size) {
      throw new IOException(name + " changed its length while it was read");
    }
    align();
  }

  /** Writes the end of the archive and returns its length in bytes. */
  public long finish() throws IOException {
    inode = -1;
    header("TRAILER!!!", 0, 1, 0, 0, 0);
    return position;
  }

  private void header(String name, int mode, int links, long size, int major, int minor)
      throws IOException {
    if (size > MAX_CONTENT) {
      throw new IOException(name + " must have at most " + MAX_CONTENT + " bytes");
    }
    byte[] encoded = name.getBytes(StandardCharsets.UTF_8);
    long[] fields = {
      ++inode, mode, 0, 0, links, 0, size, 0, 0, major, minor, encoded.length + 1L, 0
    };
    StringBuilder header = new StringBuilder("070701");
    for (long field : fields) {
      header.append(String.format("%08X", field));
    }
    byte[] bytes = header.toString().getBytes(StandardCharsets.US_ASCII);
    write(bytes, bytes.length);
    write(encoded, encoded.length);
    write(new byte[1], 1);
    align();
  }

  private void align() throws IOException {
    int padding = (int) (-position & (ALIGNMENT - 1));
    write(new byte[ALIGNMENT], padding);
  }

  private void write(byte[] bytes, int length) throws IOException {
    out.write(bytes, 0, length);
    position += length;
  }
}
