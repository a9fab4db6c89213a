package io.github.avf4j.microdroid.kernel;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Kernel modules of a few hundred bytes: an ELF file with a section {@code .modinfo}. */
public final class ModuleFiles {
  private ModuleFiles() {}

  /** Returns a module with those strings in its {@code .modinfo}. */
  public static byte[] of(String... modinfo) {
    byte[] info = (String.join("\0", modinfo) + '\0').getBytes(StandardCharsets.ISO_8859_1);
    byte[] names = "\0.modinfo\0.shstrtab\0".getBytes(StandardCharsets.ISO_8859_1);
    int infoAt = 64;
    int namesAt = infoAt + info.length;
    int sectionsAt = namesAt + names.length + 7 & ~7;
    ByteBuffer elf = ByteBuffer.allocate(sectionsAt + 3 * 64).order(ByteOrder.LITTLE_ENDIAN);
    elf.put(new byte[] {0x7f, 'E', 'L', 'F', 2, 1, 1});
    elf.putShort(0x10, (short) 1).putShort(0x12, (short) 62);
    elf.putLong(0x28, sectionsAt);
    elf.putShort(0x3a, (short) 64).putShort(0x3c, (short) 3).putShort(0x3e, (short) 2);
    elf.position(infoAt).put(info).put(names);
    section(elf, sectionsAt + 64, 1, infoAt, info.length);
    section(elf, sectionsAt + 128, 10, namesAt, names.length);
    return elf.array();
  }

  private static void section(ByteBuffer elf, int at, int name, long offset, long length) {
    elf.putInt(at, name).putInt(at + 4, 1).putLong(at + 0x18, offset).putLong(at + 0x20, length);
  }
}
