package io.github.avf4j.kvm.boot.x86;

import io.github.avf4j.kvm.boot.ImageFile;
import java.nio.ByteBuffer;

/**
 * A Linux bzImage (Linux x86 boot protocol 2.12 and later) with a 64-bit entry. Thread-safe.
 *
 * @param kernelOffset where the protected-mode kernel begins in the file
 * @param address where it is loaded
 * @param initSize how much memory it needs there before it looks at the memory map
 * @param initrdMax the highest address that the end of the initrd may have
 * @param setupHeaderEnd the end of the setup header, which begins at {@link #SETUP_HEADER}
 */
record BzImage(int kernelOffset, long address, long initSize, long initrdMax, int setupHeaderEnd) {
  /** Where the setup header is, in the file and in the zero page. */
  static final int SETUP_HEADER = 0x1F1;

  private static final int HDRS = 0x53726448;
  private static final int OLDEST_PROTOCOL = 0x020C;
  private static final int ENTRY_64 = 0x200;

  static boolean isBzImage(ImageFile file) {
    return file.size() >= 0x264
        && file.bytes().getInt(0x202) == HDRS
        && Short.toUnsignedInt(file.bytes().getShort(0x1FE)) == 0xAA55;
  }

  /**
   * Reads the setup header.
   *
   * @throws io.github.avf4j.InvalidImageException if it is truncated or has no 64-bit entry
   */
  static BzImage parse(ImageFile file) {
    ByteBuffer b = file.bytes();
    int version = Short.toUnsignedInt(b.getShort(0x206));
    if (version < OLDEST_PROTOCOL || (b.getShort(0x236) & 1) == 0) {
      throw file.invalid(
          "is a bzImage without a 64-bit entry (boot protocol 0x"
              + Integer.toHexString(version)
              + "): give a 64-bit kernel");
    }
    int setupSectors = Byte.toUnsignedInt(b.get(SETUP_HEADER));
    int kernelOffset = ((setupSectors == 0 ? 4 : setupSectors) + 1) * 512;
    // syssize counts units of 16 bytes of the protected-mode kernel.
    long size = Integer.toUnsignedLong(b.getInt(0x1F4)) * 16;
    if (kernelOffset + ENTRY_64 >= file.size() || kernelOffset + size - 16 > file.size()) {
      throw file.invalid("is a truncated bzImage: fetch or build it again");
    }
    long preferred = b.getLong(0x258);
    long address = preferred == 0 ? Layout.HIGH_MEMORY : preferred;
    long initSize =
        Math.max(Integer.toUnsignedLong(b.getInt(0x260)), file.size() - (long) kernelOffset);
    if (address < Layout.HIGH_MEMORY || address > Layout.HOLE - initSize) {
      throw file.invalid(
          "asks for the address 0x" + Long.toHexString(address) + ": fetch or build it again");
    }
    int headerEnd = Math.min(0x202 + Byte.toUnsignedInt(b.get(0x201)), 0x290);
    return new BzImage(
        kernelOffset,
        address,
        initSize,
        Integer.toUnsignedLong(b.getInt(0x22C)),
        Math.max(headerEnd, 0x264));
  }

  /** Returns the address of the 64-bit entry. */
  long entry() {
    return address + ENTRY_64;
  }

  /** Returns the end of the memory that it needs. */
  long end() {
    return address + initSize;
  }

  /** Puts the protected-mode kernel into RAM, which has room for it. */
  void load(ImageFile file, MachineMemory memory) {
    file.load(memory.ram(), kernelOffset, address, file.size() - kernelOffset);
  }
}
