package io.github.avf4j.qemu.process;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * A guest of a few instructions that stores its time-stamp counter again and again, for {@link
 * TscMeter}. Thread-safe.
 */
final class TscGuest {
  /** The size of the guest's memory in bytes. */
  static final long MEMORY_SIZE = 16 << 20;

  private static final int LOAD_ADDRESS = 0x100000;

  /** Where the guest stores the low 32 bits of the counter. */
  static final int COUNTER_ADDRESS = 0x200000;

  private static final int ELF_HEADER = 64;
  private static final int SEGMENT_HEADER = 56;
  private static final int CODE_OFFSET = ELF_HEADER + 2 * SEGMENT_HEADER;
  private static final int NOTE_SIZE = 20;

  /** {@code again: rdtsc; mov [COUNTER_ADDRESS], eax; jmp again}, 32-bit. */
  private static final byte[] CODE = {
    0x0f, 0x31, (byte) 0xa3, 0x00, 0x00, 0x20, 0x00, (byte) 0xeb, (byte) 0xf7
  };

  private TscGuest() {}

  /** Returns the guest as an ELF kernel with a PVH entry. */
  static byte[] kernel() {
    int note = CODE_OFFSET + 16;
    int size = note + NOTE_SIZE;
    ByteBuffer elf = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    elf.putInt(0x464c457f).putInt(0x00010102).putLong(0); // ELF64, little-endian, version 1
    elf.putShort((short) 2).putShort((short) 62).putInt(1); // executable, x86-64
    elf.putLong(LOAD_ADDRESS + CODE_OFFSET).putLong(ELF_HEADER).putLong(0).putInt(0);
    elf.putShort((short) ELF_HEADER).putShort((short) SEGMENT_HEADER).putShort((short) 2);
    elf.putShort((short) 0).putShort((short) 0).putShort((short) 0);
    segment(elf, 1, 7, 0, size);
    segment(elf, 4, 4, note, NOTE_SIZE);
    elf.position(CODE_OFFSET).put(CODE).position(note);
    elf.putInt(4).putInt(4).putInt(18).put("Xen\0".getBytes(StandardCharsets.US_ASCII));
    elf.putInt(LOAD_ADDRESS + CODE_OFFSET);
    return elf.array();
  }

  private static void segment(ByteBuffer elf, int type, int flags, int offset, int size) {
    elf.putInt(type).putInt(flags).putLong(offset);
    elf.putLong(LOAD_ADDRESS + offset).putLong(LOAD_ADDRESS + offset);
    elf.putLong(size).putLong(size).putLong(4);
  }
}
