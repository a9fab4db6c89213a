package io.github.avf4j.microdroid.kernel;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Kernel images for arm64, as Linux's documentation and its header of zboot describe them. */
final class Arm64Images {
  private Arm64Images() {}

  /** Returns something that looks like an Image and compresses a little. */
  static byte[] image(int size) {
    byte[] image = BzImages.elf(size);
    Arrays.fill(image, 0, 64, (byte) 0);
    littleEndian(image)
        .putInt(0, 0xfa405a4d)
        .putLong(16, size + 4096)
        .putLong(24, 0xa)
        .putInt(56, 0x644d5241);
    return image;
  }

  /** Returns an EFI executable with that compressed kernel. */
  static byte[] zboot(byte[] compressed, String compression) {
    int start = 0x1000;
    byte[] file = new byte[start + compressed.length + 4 + 300];
    littleEndian(file)
        .putShort(0, (short) 0x5a4d)
        .put(4, "zimg".getBytes(StandardCharsets.US_ASCII))
        .putInt(8, start)
        .putInt(12, compressed.length)
        .put(24, compression.getBytes(StandardCharsets.US_ASCII))
        .putInt(56, 0x818223cd)
        .putInt(60, 64)
        .put(start, compressed);
    return file;
  }

  private static ByteBuffer littleEndian(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }
}
