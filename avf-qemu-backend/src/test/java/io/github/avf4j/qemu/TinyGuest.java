package io.github.avf4j.qemu;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Assembles guests of a few 32-bit instructions as ELF kernels with a PVH entry. */
final class TinyGuest {
  private static final int LOAD_ADDRESS = 0x100000;
  private static final int CODE_OFFSET = 0x100;
  private static final int SERIAL = 0x3f8;

  private final ByteArrayOutputStream code = new ByteArrayOutputStream();

  /** Writes text to the serial port. */
  TinyGuest print(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
    emit(0xba).emit32(SERIAL); // mov edx, 0x3f8
    for (byte b : bytes) {
      emit(0xb0, b & 0xff, 0xee); // mov al, b; out dx, al
    }
    return this;
  }

  /** Writes text to the serial port for ever. */
  TinyGuest printForEver(char c) {
    emit(0xba).emit32(SERIAL);
    return emit(0xb0, c, 0xee, 0xeb, 0xfd); // again: out dx, al; jmp again
  }

  /** Powers off through the sleep register of the generic event device. */
  TinyGuest powerOff() {
    return emit(0xc6, 0x05).emit32(0xfea00200).emit(0x34).hang();
  }

  /** Resets through the keyboard controller. */
  TinyGuest reset() {
    return emit(0xb0, 0xfe, 0xe6, 0x64).hang(); // mov al, 0xfe; out 0x64, al
  }

  /** Loads an empty interrupt table and raises an exception. */
  TinyGuest tripleFault() {
    emit(0x6a, 0x00, 0x6a, 0x00); // push 0; push 0
    return emit(0x0f, 0x01, 0x1c, 0x24, 0x0f, 0x0b); // lidt [esp]; ud2
  }

  /** Makes the stack usable. */
  TinyGuest withStack() {
    return emit(0xbc).emit32(0x180000); // mov esp, 0x180000
  }

  /** Stops with interrupts off. */
  TinyGuest hang() {
    return emit(0xfa, 0xf4, 0xeb, 0xfc); // cli; again: hlt; jmp again
  }

  private TinyGuest emit(int... bytes) {
    for (int b : bytes) {
      code.write(b);
    }
    return this;
  }

  private TinyGuest emit32(int value) {
    return emit(value & 0xff, value >> 8 & 0xff, value >> 16 & 0xff, value >>> 24);
  }

  /** Writes the kernel to a file. */
  Path writeTo(Path file) throws IOException {
    return Files.write(file, elf(18));
  }

  /** Writes the kernel with a note that says nothing of PVH. */
  Path writeWithoutPvhTo(Path file) throws IOException {
    return Files.write(file, elf(17));
  }

  private byte[] elf(int noteType) {
    byte[] instructions = code.toByteArray();
    int note = CODE_OFFSET + (instructions.length + 15) / 16 * 16;
    int size = note + 20;
    ByteBuffer elf = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    elf.putInt(0x464c457f).putInt(0x00010102).putLong(0);
    elf.putShort((short) 2).putShort((short) 62).putInt(1);
    elf.putLong(LOAD_ADDRESS + CODE_OFFSET).putLong(64).putLong(0).putInt(0);
    elf.putShort((short) 64).putShort((short) 56).putShort((short) 2);
    elf.putShort((short) 0).putShort((short) 0).putShort((short) 0);
    segment(elf, 1, 0, size);
    segment(elf, 4, note, 20);
    elf.position(CODE_OFFSET).put(instructions).position(note);
    elf.putInt(4).putInt(4).putInt(noteType).put("Xen\0".getBytes(StandardCharsets.US_ASCII));
    elf.putInt(LOAD_ADDRESS + CODE_OFFSET);
    return elf.array();
  }

  private static void segment(ByteBuffer elf, int type, int offset, int size) {
    elf.putInt(type).putInt(7).putLong(offset);
    elf.putLong(LOAD_ADDRESS + offset).putLong(LOAD_ADDRESS + offset);
    elf.putLong(size).putLong(size).putLong(4);
  }
}
