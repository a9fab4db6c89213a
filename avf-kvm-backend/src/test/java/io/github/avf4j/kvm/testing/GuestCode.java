package io.github.avf4j.kvm.testing;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Assembles tiny guests. Every instruction here has the same encoding in 32-bit and 64-bit mode
 * unless it says so. Confined to one thread.
 */
public final class GuestCode {
  /** Where the code is loaded and entered. */
  public static final int LOAD_ADDRESS = 0x100000;

  private final ByteArrayOutputStream code = new ByteArrayOutputStream();

  /** Appends raw bytes. */
  public GuestCode raw(int... bytes) {
    for (int b : bytes) {
      code.write(b);
    }
    return this;
  }

  /** mov dx, port; mov al, value; out dx, al. */
  public GuestCode outByte(int port, int value) {
    return raw(0x66, 0xBA, port, port >> 8, 0xB0, value, 0xEE);
  }

  /** mov dx, port; mov eax, value; out dx, eax. */
  public GuestCode outInt(int port, int value) {
    raw(0x66, 0xBA, port, port >> 8, 0xB8);
    return little(value).raw(0xEF);
  }

  /** mov dx, port; in al, dx. */
  public GuestCode inByte(int port) {
    return raw(0x66, 0xBA, port, port >> 8, 0xEC);
  }

  /** mov dx, 0x3f8; out dx, al. */
  public GuestCode printAl() {
    return raw(0x66, 0xBA, 0xF8, 0x03, 0xEE);
  }

  /** Prints on the serial port. */
  public GuestCode print(String text) {
    for (char c : text.toCharArray()) {
      outByte(0x3F8, c);
    }
    return this;
  }

  /** mov esi, address; mov ecx, length; mov dx, port; rep outsb. */
  public GuestCode outString(int port, int address, int length) {
    raw(0xBE).little(address).raw(0xB9).little(length);
    return raw(0x66, 0xBA, port, port >> 8, 0xFC, 0xF3, 0x6E);
  }

  /** mov ebx, address; mov eax, [rbx]: a 32-bit load. */
  public GuestCode load(int address) {
    return raw(0xBB).little(address).raw(0x8B, 0x03);
  }

  /** mov ebx, address; mov dword [rbx], value. */
  public GuestCode store(int address, int value) {
    return raw(0xBB).little(address).raw(0xC7, 0x03).little(value);
  }

  /** Prints the four bytes of EAX, lowest first. */
  public GuestCode printEax() {
    for (int i = 0; i < 4; i++) {
      printAl().raw(0xC1, 0xE8, 8); // shr eax, 8
    }
    return this;
  }

  /** Switches the machine off through ACPI's sleep control register. */
  public GuestCode powerOff() {
    return outByte(0x600, 5 << 2 | 0x20).halt();
  }

  /** cli; 1: hlt; jmp 1b. */
  public GuestCode halt() {
    return raw(0xFA, 0xF4, 0xEB, 0xFD);
  }

  /** 1: jmp 1b. */
  public GuestCode spin() {
    return raw(0xEB, 0xFE);
  }

  /** mov dx, port; 1: out dx, al; jmp 1b. */
  public GuestCode outForever(int port) {
    return raw(0x66, 0xBA, port, port >> 8, 0xEE, 0xEB, 0xFD);
  }

  /** Appends a 32-bit number. */
  public GuestCode little(int value) {
    return raw(value, value >> 8, value >> 16, value >> 24);
  }

  /** Returns the number of bytes so far. */
  public int size() {
    return code.size();
  }

  /** Returns the bytes. */
  public byte[] bytes() {
    return code.toByteArray();
  }

  /** Returns a 64-bit ELF file with one segment, entered by the 64-bit boot protocol. */
  public byte[] elf() {
    byte[] text = bytes();
    ByteBuffer b = ByteBuffer.allocate(0x80 + text.length).order(ByteOrder.LITTLE_ENDIAN);
    header(b, 1);
    segment(b, 64, 1, 0x80, LOAD_ADDRESS, text.length);
    b.put(0x80, text);
    return b.array();
  }

  /** Returns a 64-bit ELF file with a PVH note, entered in 32-bit mode. */
  public byte[] pvhElf() {
    byte[] text = bytes();
    ByteBuffer b = ByteBuffer.allocate(0x100 + text.length).order(ByteOrder.LITTLE_ENDIAN);
    header(b, 2);
    segment(b, 64, 1, 0x100, LOAD_ADDRESS, text.length);
    segment(b, 120, 4, 0xC0, LOAD_ADDRESS, 20);
    b.putInt(0xC0, 4).putInt(0xC4, 4).putInt(0xC8, 18).putInt(0xCC, 0x006E6558);
    b.putInt(0xD0, LOAD_ADDRESS);
    b.put(0x100, text);
    return b.array();
  }

  /** Returns a bzImage whose 64-bit entry is the code. */
  public byte[] bzImage() {
    byte[] text = bytes();
    int kernel = 5 * 512;
    int size = 0x200 + text.length + 15 & -16;
    ByteBuffer b = ByteBuffer.allocate(kernel + size).order(ByteOrder.LITTLE_ENDIAN);
    b.put(0x1EF, (byte) 0xFF).put(0x1F1, (byte) 4).putInt(0x1F4, size / 16);
    b.putShort(0x1FE, (short) 0xAA55).put(0x201, (byte) 0x6A).putInt(0x202, 0x53726448);
    b.putShort(0x206, (short) 0x020F).putInt(0x22C, 0x7FFFFFFF).putShort(0x236, (short) 1);
    b.putLong(0x258, LOAD_ADDRESS).putInt(0x260, 0x10000);
    b.put(kernel + 0x200, text);
    return b.array();
  }

  private static void header(ByteBuffer b, int segments) {
    b.putInt(0, 0x464C457F).put(4, (byte) 2).put(5, (byte) 1).put(6, (byte) 1);
    b.putShort(16, (short) 2).putShort(18, (short) 62).putInt(20, 1);
    b.putLong(24, LOAD_ADDRESS).putLong(32, 64).putShort(52, (short) 64);
    b.putShort(54, (short) 56).putShort(56, (short) segments);
  }

  private static void segment(ByteBuffer b, int at, int type, int offset, int address, int length) {
    b.putInt(at, type).putInt(at + 4, 7).putLong(at + 8, offset).putLong(at + 16, address);
    b.putLong(at + 24, address).putLong(at + 32, length).putLong(at + 40, length);
    b.putLong(at + 48, 1);
  }
}
