package io.github.avf4j.microdroid.kernel;

import io.github.avf4j.InvalidImageException;
import io.github.avf4j.microdroid.GuestArchitecture;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;

/**
 * What a machine boots and what that comes packed in, for one processor.
 *
 * <p>Thread-safe.
 *
 * @see <a href="https://docs.kernel.org/arch/arm64/booting.html">Booting AArch64 Linux</a>
 */
enum KernelFormat {
  /** An ELF file, alone or in a bzImage. */
  X86(
      GuestArchitecture.X86_64,
      "ELF kernel",
      ".elf",
      "give a bzImage (vmlinuz) or an ELF kernel, or run bin/setup to fetch one") {
    @Override
    boolean isKernel(byte[] head) {
      return isElf(head);
    }

    @Override
    PackedKernel find(Path image, byte[] head, FileChannel file) throws IOException {
      if (ARM64.isKernel(head)) {
        throw invalid(image, "is one for arm64 but the guest is x86-64");
      }
      return BzImage.find(image, head, file.size());
    }
  },

  /** An Image, alone, compressed, or in the EFI executable that unpacks it. */
  ARM64(
      GuestArchitecture.AARCH64,
      "arm64 Image",
      ".image",
      "give an arm64 Image (vmlinuz), compressed or not, or run bin/setup to fetch one") {
    @Override
    boolean isKernel(byte[] head) {
      return head.length >= IMAGE_HEADER && littleEndian(head).getInt(IMAGE_MAGIC) == ARM64_MAGIC;
    }

    @Override
    PackedKernel find(Path image, byte[] head, FileChannel file) throws IOException {
      if (isElf(head)) {
        throw invalid(image, "is an ELF file, which arm64 does not boot");
      }
      if (BzImage.isBzImage(head)) {
        throw invalid(image, "is one for x86-64 but the guest is arm64");
      }
      return PackedArm64Image.find(image, head, file);
    }
  };

  /** The most bytes that a kernel has. */
  static final long MAX_UNPACKED = 1 << 30;

  private static final int ELF_MAGIC = 0x464c457f;
  private static final int IMAGE_HEADER = 64;
  private static final int IMAGE_MAGIC = 56;
  private static final int ARM64_MAGIC = 0x644d5241;

  private final GuestArchitecture architecture;
  private final String kernel;
  private final String suffix;
  private final String advice;

  KernelFormat(GuestArchitecture architecture, String kernel, String suffix, String advice) {
    this.architecture = architecture;
    this.kernel = kernel;
    this.suffix = suffix;
    this.advice = advice;
  }

  static KernelFormat of(GuestArchitecture architecture) {
    for (KernelFormat format : values()) {
      if (format.architecture == architecture) {
        return format;
      }
    }
    throw new AssertionError(architecture);
  }

  /** Whether a file that begins so is what a machine boots. */
  abstract boolean isKernel(byte[] head);

  /**
   * Finds the compressed kernel in a file that is none itself.
   *
   * @param head its first {@link BzImage#HEADER_END} bytes, or all
   * @throws InvalidImageException if there is none, or the file is truncated
   */
  abstract PackedKernel find(Path image, byte[] head, FileChannel file) throws IOException;

  /** How names of unpacked kernels end. */
  String suffix() {
    return suffix;
  }

  /** What to give instead, as the end of a sentence. */
  String advice() {
    return advice;
  }

  /**
   * The compression of what begins so.
   *
   * @throws InvalidImageException if it is unknown
   */
  Compression compression(Path image, byte[] first) {
    return Compression.at(first, 0)
        .orElseThrow(
            () -> invalid(image, "is compressed in another way than with gzip, xz, zstd or lz4"));
  }

  /**
   * Unpacks a kernel, up to {@code limit} bytes of it.
   *
   * @return how many bytes were written, or a number above {@code limit} if there are more
   * @throws InvalidImageException if it is damaged, or what comes out is no kernel
   */
  long unpack(Path image, Compression compression, InputStream packed, long limit, OutputStream out)
      throws IOException {
    byte[] buffer = new byte[1 << 16];
    long total = 0;
    try (InputStream in = open(image, compression, packed)) {
      int count;
      while ((count = fill(image, in, buffer)) > 0) {
        if (total == 0 && !isKernel(buffer)) {
          throw invalid(image, "holds no " + kernel);
        }
        total += count;
        if (total > limit) {
          break;
        }
        out.write(buffer, 0, count);
      }
    }
    return total;
  }

  private InputStream open(Path image, Compression compression, InputStream packed) {
    try {
      return compression.open(packed);
    } catch (IOException | RuntimeException e) {
      throw damaged(image, e);
    }
  }

  /** Fills the buffer unless the end comes first, so that the magic is whole. */
  private int fill(Path image, InputStream in, byte[] buffer) {
    try {
      return in.readNBytes(buffer, 0, buffer.length);
    } catch (IOException | RuntimeException e) {
      throw damaged(image, e);
    }
  }

  InvalidImageException invalid(Path image, String what) {
    return new InvalidImageException("the kernel " + image + ' ' + what + ": " + advice);
  }

  private InvalidImageException damaged(Path image, Exception e) {
    return new InvalidImageException(
        "the kernel " + image + " is damaged (" + e + "): " + advice, e);
  }

  private static boolean isElf(byte[] head) {
    return head.length >= Integer.BYTES && littleEndian(head).getInt(0) == ELF_MAGIC;
  }

  static ByteBuffer littleEndian(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }
}
