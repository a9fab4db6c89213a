package io.github.avf4j.microdroid.kernel;

import io.github.avf4j.InvalidImageException;
import io.github.avf4j.attestation.avb.AvbFooter;
import io.github.avf4j.attestation.verity.ImageSource;
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
 * A compressed arm64 Image: as the whole file, less a footer of Android Verified Boot, or within an
 * EFI executable that would unpack it (zboot). Immutable.
 *
 * <p>The header of zboot: {@code MZ}, zeros, at 4 {@code zimg}, at 8 where the compressed kernel
 * is, at 12 its length, and at 24 the compression's name.
 *
 * @param image the file, for messages
 * @param start where the compressed kernel is, in bytes
 * @param length its length
 * @see <a
 *     href="https://github.com/torvalds/linux/blob/master/drivers/firmware/efi/libstub/zboot-header.S">Linux's
 *     header of zboot</a>
 */
record PackedArm64Image(Path image, long start, long length) implements PackedKernel {
  private static final int PROBE = 8;
  private static final short MZ = 0x5a4d;
  private static final int ZIMG = 0x676d697a;
  private static final int ZBOOT_HEADER = 64;

  /**
   * Finds it in a file that begins with {@code head}.
   *
   * @throws InvalidImageException if it is no kernel, or truncated
   */
  static PackedArm64Image find(Path image, byte[] head, FileChannel file) throws IOException {
    if (head.length < ZBOOT_HEADER) {
      throw KernelFormat.ARM64.invalid(image, "is no kernel");
    }
    ByteBuffer header = KernelFormat.littleEndian(head);
    if (header.getShort(0) == MZ && header.getInt(4) == ZIMG) {
      return zboot(image, header, file.size());
    }
    if (Compression.at(head, 0).isEmpty()) {
      throw KernelFormat.ARM64.invalid(image, "is no kernel");
    }
    long size =
        AvbFooter.find(ImageSource.of(file)).map(AvbFooter::originalImageSize).orElse(file.size());
    if (size < PROBE || size > file.size()) {
      throw KernelFormat.ARM64.invalid(
          image,
          "is damaged: its footer says that it has " + Long.toUnsignedString(size) + " bytes");
    }
    return new PackedArm64Image(image, 0, size);
  }

  private static PackedArm64Image zboot(Path image, ByteBuffer header, long size) {
    long start = Integer.toUnsignedLong(header.getInt(8));
    long length = Integer.toUnsignedLong(header.getInt(12));
    if (start < ZBOOT_HEADER || length < PROBE) {
      throw KernelFormat.ARM64.invalid(image, "holds no compressed kernel");
    }
    if (start + length > size) {
      throw KernelFormat.ARM64.invalid(
          image,
          "is truncated: its kernel ends at byte %d but the file has %d"
              .formatted(start + length, size));
    }
    return new PackedArm64Image(image, start, length);
  }

  @Override
  public void inflate(byte[] content, OutputStream out) throws IOException {
    int from = (int) start;
    inflate(
        Arrays.copyOfRange(content, from, from + PROBE),
        new ByteArrayInputStream(content, from, (int) length),
        out);
  }

  @Override
  public void check(FileChannel file) throws IOException {
    InputStream in = Channels.newInputStream(file.position(start));
    byte[] first = in.readNBytes(PROBE);
    inflate(
        first,
        new Prefix(new SequenceInputStream(new ByteArrayInputStream(first), in), length),
        OutputStream.nullOutputStream());
  }

  private void inflate(byte[] first, InputStream packed, OutputStream out) throws IOException {
    Compression compression = KernelFormat.ARM64.compression(image, first);
    long total =
        KernelFormat.ARM64.unpack(image, compression, packed, KernelFormat.MAX_UNPACKED, out);
    if (total == 0) {
      throw KernelFormat.ARM64.invalid(image, "holds no arm64 Image");
    }
    if (total > KernelFormat.MAX_UNPACKED) {
      throw KernelFormat.ARM64.invalid(image, "unpacks to more bytes than a kernel has");
    }
  }
}
