package io.github.avf4j.microdroid.kernel;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Kernel images as the boot protocol describes them. */
final class BzImages {
  private BzImages() {}

  /** Returns a bzImage with that compressed kernel; the unpacked size is put after it. */
  static byte[] of(byte[] compressed, int unpackedSize, boolean sizeIsPartOfFormat) {
    int length = compressed.length + (sizeIsPartOfFormat ? 0 : 4);
    int protectedMode = 2 * 512;
    int payloadOffset = 0x80;
    ByteBuffer image =
        ByteBuffer.allocate(protectedMode + payloadOffset + length).order(ByteOrder.LITTLE_ENDIAN);
    image.put(0x1f1, (byte) 1);
    image.putInt(0x202, 0x53726448);
    image.putShort(0x206, (short) 0x020f);
    image.putInt(0x248, payloadOffset);
    image.putInt(0x24c, length);
    image.position(protectedMode + payloadOffset);
    image.put(compressed);
    if (!sizeIsPartOfFormat) {
      image.putInt(unpackedSize);
    }
    return image.array();
  }

  /** Returns something that looks like an ELF kernel and compresses a little. */
  static byte[] elf(int size) {
    byte[] elf = new byte[size];
    for (int i = 0; i < size; i++) {
      elf[i] = (byte) (i * 31 / 7 ^ i >> 9);
    }
    System.arraycopy(new byte[] {0x7f, 'E', 'L', 'F', 2, 1, 1, 0}, 0, elf, 0, 8);
    return elf;
  }
}
