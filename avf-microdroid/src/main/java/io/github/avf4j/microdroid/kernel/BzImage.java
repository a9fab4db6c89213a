package io.github.avf4j.microdroid.kernel;

import io.github.avf4j.InvalidImageException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.SequenceInputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * The compressed kernel in a bzImage, found by the header; what is behind it, such as a footer of
 * Android Verified Boot, does not matter. Immutable.
 *
 * @param image the file, for messages
 * @param start where the compressed kernel is, in bytes
 * @param length its length, with the unpacked size that the kernel's build puts behind it
 * @see <a href="https://docs.kernel.org/arch/x86/boot.html">The Linux/x86 boot protocol</a>
 */
record BzImage(Path image, long start, long length) {
  /** How many bytes {@link #find} looks at. */
  static final int HEADER_END = 0x250;

  static final String ADVICE =
      "give a bzImage (vmlinuz) or an ELF kernel, or run bin/setup to fetch one";

  private static final int MAX_UNPACKED = 1 << 30;

  private static final byte[] ELF = {0x7f, 'E', 'L', 'F'};
  private static final int SETUP_SECTS = 0x1f1;
  private static final int MAGIC = 0x202;
  private static final int HDRS = 0x53726448;
  private static final int VERSION = 0x206;
  private static final int VERSION_WITH_PAYLOAD = 0x208;
  private static final int PAYLOAD_OFFSET = 0x248;
  private static final int PAYLOAD_LENGTH = 0x24c;
  private static final int SECTOR = 512;
  private static final int PROBE = 8;

  /**
   * Finds it in a file of {@code size} bytes that begins with {@code head}.
   *
   * @throws InvalidImageException if it is no kernel, or truncated
   */
  static BzImage find(Path image, byte[] head, long size) {
    if (head.length < HEADER_END) {
      throw invalid(image, "is no kernel");
    }
    ByteBuffer header = ByteBuffer.wrap(head).order(ByteOrder.LITTLE_ENDIAN);
    if (header.getInt(MAGIC) != HDRS) {
      throw invalid(image, "is no kernel");
    }
    int version = Short.toUnsignedInt(header.getShort(VERSION));
    if (version < VERSION_WITH_PAYLOAD) {
      throw invalid(image, "is a kernel from before 2008, with boot protocol " + hex(version));
    }
    int setupSectors = Byte.toUnsignedInt(header.get(SETUP_SECTS));
    // A value of 0 means 4, for historical reasons (boot protocol, setup_sects).
    long start = (long) ((setupSectors == 0 ? 4 : setupSectors) + 1) * SECTOR;
    long offset = start + Integer.toUnsignedLong(header.getInt(PAYLOAD_OFFSET));
    long length = Integer.toUnsignedLong(header.getInt(PAYLOAD_LENGTH));
    if (offset + length > size) {
      throw invalid(
          image,
          "is truncated: its kernel ends at byte "
              + (offset + length)
              + " but the file has "
              + size);
    }
    if (length < PROBE) {
      throw invalid(image, "holds no compressed kernel");
    }
    return new BzImage(image, offset, length);
  }

  static boolean isElf(byte[] head) {
    return head.length >= ELF.length && Arrays.equals(head, 0, ELF.length, ELF, 0, ELF.length);
  }

  /**
   * Writes the kernel.
   *
   * @param content the whole file
   * @throws InvalidImageException if it is damaged
   */
  void inflate(byte[] content, OutputStream out) throws IOException {
    int from = (int) start;
    int to = (int) (start + length);
    byte[] first = Arrays.copyOfRange(content, from, from + PROBE);
    byte[] last = Arrays.copyOfRange(content, to - Integer.BYTES, to);
    inflate(first, last, new ByteArrayInputStream(content, from, to - from), out);
  }

  /**
   * Unpacks the kernel to nowhere, without having the file in memory.
   *
   * @param file stands anywhere, and elsewhere afterwards
   * @throws InvalidImageException if it is damaged
   */
  void check(FileChannel file) throws IOException {
    byte[] last = read(file, start + length - Integer.BYTES, Integer.BYTES);
    byte[] first = read(file, start, PROBE);
    InputStream rest = Channels.newInputStream(file);
    inflate(
        first,
        last,
        new SequenceInputStream(new ByteArrayInputStream(first), rest),
        OutputStream.nullOutputStream());
  }

  private static byte[] read(FileChannel file, long position, int length) throws IOException {
    return Channels.newInputStream(file.position(position)).readNBytes(length);
  }

  /**
   * Unpacks.
   *
   * @param first the bytes by which the compression is told
   * @param last the unpacked size
   * @param packed begins with the compressed kernel and may go on behind it
   */
  private void inflate(byte[] first, byte[] last, InputStream packed, OutputStream out)
      throws IOException {
    int unpacked = ByteBuffer.wrap(last).order(ByteOrder.LITTLE_ENDIAN).getInt();
    long size = Integer.toUnsignedLong(unpacked);
    Compression compression =
        Compression.at(first, 0)
            .orElseThrow(
                () ->
                    invalid(image, "is compressed in another way than with gzip, xz, zstd or lz4"));
    if (size > MAX_UNPACKED) {
      throw invalid(image, "claims to unpack to " + size + " bytes, more than a kernel has");
    }
    long bytes = compression == Compression.GZIP ? length : length - Integer.BYTES;
    byte[] buffer = new byte[1 << 16];
    long total = 0;
    try (InputStream in = open(compression, new Prefix(packed, bytes))) {
      int count;
      while ((count = readSome(in, buffer)) > 0) {
        if (total == 0 && !isElf(buffer)) {
          throw invalid(image, "holds no ELF kernel");
        }
        total += count;
        if (total > size) {
          break;
        }
        out.write(buffer, 0, count);
      }
    }
    if (total != size) {
      throw invalid(image, "is damaged: it must unpack to " + size + " bytes but does not");
    }
  }

  private InputStream open(Compression compression, InputStream packed) {
    try {
      return compression.open(packed);
    } catch (IOException | RuntimeException e) {
      throw damaged(e);
    }
  }

  /** Reads at least four bytes unless the end comes first, so that the magic is whole. */
  private int readSome(InputStream in, byte[] buffer) {
    try {
      return in.readNBytes(buffer, 0, buffer.length);
    } catch (IOException | RuntimeException e) {
      throw damaged(e);
    }
  }

  private static String hex(int value) {
    return (value >> 8) + "." + String.format("%02d", value & 0xff);
  }

  static InvalidImageException invalid(Path image, String what) {
    return new InvalidImageException("the kernel " + image + ' ' + what + ": " + ADVICE);
  }

  private InvalidImageException damaged(Exception e) {
    return new InvalidImageException(
        "the kernel " + image + " is damaged (" + e + "): " + ADVICE, e);
  }

  /** The first bytes of a stream. Confined to one thread. */
  private static final class Prefix extends InputStream {
    private final InputStream in;
    private long left;

    Prefix(InputStream in, long length) {
      this.in = in;
      this.left = length;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] target, int offset, int length) throws IOException {
      if (length > 0 && left == 0) {
        return -1;
      }
      int count = in.read(target, offset, (int) Math.min(length, left));
      left -= Math.max(0, count);
      return count;
    }
  }
}
