package io.github.avf4j.microdroid.kernel;

import io.github.avf4j.InvalidImageException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.SequenceInputStream;
import java.nio.ByteBuffer;
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
record BzImage(Path image, long start, long length) implements PackedKernel {
  /** How many bytes {@link #find} looks at. */
  static final int HEADER_END = 0x250;

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
    if (!isBzImage(head)) {
      throw invalid(image, "is no kernel");
    }
    ByteBuffer header = KernelFormat.littleEndian(head);
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

  static boolean isBzImage(byte[] head) {
    return head.length >= HEADER_END && KernelFormat.littleEndian(head).getInt(MAGIC) == HDRS;
  }

  @Override
  public void inflate(byte[] content, OutputStream out) throws IOException {
    int from = (int) start;
    int to = (int) (start + length);
    byte[] first = Arrays.copyOfRange(content, from, from + PROBE);
    byte[] last = Arrays.copyOfRange(content, to - Integer.BYTES, to);
    inflate(first, last, new ByteArrayInputStream(content, from, to - from), out);
  }

  @Override
  public void check(FileChannel file) throws IOException {
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
    int unpacked = KernelFormat.littleEndian(last).getInt();
    long size = Integer.toUnsignedLong(unpacked);
    Compression compression = KernelFormat.X86.compression(image, first);
    if (size > KernelFormat.MAX_UNPACKED) {
      throw invalid(image, "claims to unpack to " + size + " bytes, more than a kernel has");
    }
    long bytes = compression == Compression.GZIP ? length : length - Integer.BYTES;
    long total = KernelFormat.X86.unpack(image, compression, new Prefix(packed, bytes), size, out);
    if (total != size) {
      throw invalid(image, "is damaged: it must unpack to " + size + " bytes but does not");
    }
  }

  private static String hex(int value) {
    return (value >> 8) + "." + String.format("%02d", value & 0xff);
  }

  private static InvalidImageException invalid(Path image, String what) {
    return KernelFormat.X86.invalid(image, what);
  }
}
