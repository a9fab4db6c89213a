package io.github.avf4j.kvm.boot.arm64;

import io.github.avf4j.kvm.boot.ImageFile;
import java.nio.ByteBuffer;

/**
 * An uncompressed kernel Image (Linux, Documentation/arch/arm64/booting.rst): a header of 64 bytes
 * whose first instruction is the entry. Nothing of it is trusted. Thread-safe.
 *
 * @param textOffset where it is loaded, from an address that is a multiple of 2 MiB
 * @param size how much memory it needs there, which is more than the file
 */
record LinuxImage(long textOffset, long size) {
  static final int HEADER_SIZE = 64;

  private static final int MAGIC_AT = 56;
  private static final int MAGIC = 0x644D5241; // "ARM\x64"
  private static final int BIG_ENDIAN = 1;

  /** What kernels before 3.17 assumed. */
  private static final long OLD_TEXT_OFFSET = 0x8_0000;

  private static final long LARGEST = 1L << 30;

  static boolean isImage(ImageFile file) {
    return file.size() >= HEADER_SIZE && file.bytes().getInt(MAGIC_AT) == MAGIC;
  }

  /**
   * Reads the header.
   *
   * @throws io.github.avf4j.InvalidImageException if it is no kernel for arm64, or damaged
   */
  static LinuxImage parse(ImageFile file) {
    if (!isImage(file)) {
      throw file.invalid(
          "is no arm64 kernel Image" + hint(file) + ": give an uncompressed Image for arm64");
    }
    ByteBuffer b = file.bytes();
    if ((b.getLong(24) & BIG_ENDIAN) != 0) {
      throw file.invalid("is a big-endian kernel: give a little-endian one");
    }
    long size = b.getLong(16);
    if (size == 0) {
      return new LinuxImage(OLD_TEXT_OFFSET, file.size());
    }
    long textOffset = b.getLong(8);
    // The kernel reserves what lies below the offset, so nobody means more than 2 MiB.
    if (textOffset < 0 || textOffset >= 2 << 20 || textOffset % 4096 != 0) {
      throw file.invalid(
          "asks for the text offset 0x"
              + Long.toHexString(textOffset)
              + ": fetch or build it again");
    }
    if (size < file.size() || size > LARGEST) {
      throw file.invalid(
          "claims to need "
              + Long.toUnsignedString(size)
              + " bytes but has "
              + file.size()
              + ": fetch or build it again");
    }
    return new LinuxImage(textOffset, size);
  }

  private static String hint(ImageFile file) {
    int magic = file.size() < 4 ? 0 : file.bytes().getInt(0);
    if ((magic & 0xFFFF) == 0x8B1F) {
      return " but gzip data";
    }
    if (magic == 0xFD2FB528) {
      return " but zstd data";
    }
    if ((magic & 0xFFFF) == 0x5A4D && file.size() >= 8 && file.bytes().getInt(4) == 0x676D697A) {
      return " but a compressed EFI application that holds one";
    }
    if (magic == 0x464C457F) {
      return " but an ELF file";
    }
    return "";
  }
}
