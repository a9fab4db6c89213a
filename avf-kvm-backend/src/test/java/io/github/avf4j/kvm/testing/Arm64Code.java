package io.github.avf4j.kvm.testing;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Assembles tiny guests for arm64. X9 and X10 are this class's own to use. Confined to one thread.
 */
public final class Arm64Code {
  /** Where RAM begins, and where an {@link #image} is loaded; its code is 64 bytes above. */
  public static final long RAM = 0x8000_0000L;

  /** The console. */
  public static final long SERIAL = 0x3F8;

  /** PSCI (Arm DEN 0022): SYSTEM_OFF. */
  public static final long SYSTEM_OFF = 0x84000008L;

  /** PSCI: SYSTEM_RESET. */
  public static final long SYSTEM_RESET = 0x84000009L;

  private static final long CPU_ON = 0xC4000003L;
  private static final long MEM_SHARE = 0xC6000003L;
  private static final long MEM_UNSHARE = 0xC6000004L;
  private static final int HEADER = 64;

  private final ByteArrayOutputStream code = new ByteArrayOutputStream();

  /** Appends an instruction. */
  public Arm64Code word(int instruction) {
    for (int shift = 0; shift < Integer.SIZE; shift += Byte.SIZE) {
      code.write(instruction >>> shift);
    }
    return this;
  }

  /** Sets Xn to a number: movz and movk. */
  public Arm64Code set(int register, long value) {
    word(0xD2800000 | (int) (value & 0xFFFF) << 5 | register);
    for (int part = 1; part < 4; part++) {
      int bits = (int) (value >>> 16 * part) & 0xFFFF;
      if (bits != 0) {
        word(0xF2800000 | part << 21 | bits << 5 | register);
      }
    }
    return this;
  }

  /** mov Xto, Xfrom. */
  public Arm64Code copy(int to, int from) {
    return word(0xAA0003E0 | from << 16 | to);
  }

  /** Stores the lowest byte of a register at a fixed address. */
  public Arm64Code storeByte(int register, long address) {
    return set(9, address).word(0x39000000 | 9 << 5 | register);
  }

  /** Stores 32 bits of a register at a fixed address. */
  public Arm64Code storeInt(int register, long address) {
    return set(9, address).word(0xB9000000 | 9 << 5 | register);
  }

  /** Loads 32 bits from a fixed address. */
  public Arm64Code loadInt(int register, long address) {
    return set(9, address).word(0xB9400000 | 9 << 5 | register);
  }

  /** Loads 32 bits from where Xbase points. */
  public Arm64Code loadIntAt(int register, int base) {
    return word(0xB9400000 | base << 5 | register);
  }

  /** Loads two registers from a fixed address at once, which no device can serve. */
  public Arm64Code loadPair(long address) {
    return set(9, address).word(0x29400000 | 12 << 10 | 9 << 5 | 11);
  }

  /** Prints on the serial port. */
  public Arm64Code print(String text) {
    set(9, SERIAL);
    for (char c : text.toCharArray()) {
      set(10, c).word(0x39000000 | 9 << 5 | 10);
    }
    return this;
  }

  /** Prints the four lowest bytes of a register, lowest first; shifts it. */
  public Arm64Code printInt(int register) {
    set(9, SERIAL);
    for (int i = 0; i < 4; i++) {
      word(0x39000000 | 9 << 5 | register);
      word(0xD340FC00 | 8 << 16 | register << 5 | register); // lsr
    }
    return this;
  }

  /** hvc #0: calls the hypervisor; X0 is the function, then the result. */
  public Arm64Code call() {
    return word(0xD4000002);
  }

  /** Calls PSCI and expects no return. */
  public Arm64Code psci(long function) {
    return set(0, function).call().halt();
  }

  /** Switches the machine off. */
  public Arm64Code powerOff() {
    return psci(SYSTEM_OFF);
  }

  /** Starts another vCPU of the first cluster at an address. */
  public Arm64Code startVcpu(int index, long entry) {
    return set(0, CPU_ON).set(1, index).set(2, entry).set(3, 0).call();
  }

  /** Shares the page at an address with the host; X0 is 0 if that worked. */
  public Arm64Code share(long page) {
    return memoryCall(MEM_SHARE, page);
  }

  /** Takes the page back. */
  public Arm64Code unshare(long page) {
    return memoryCall(MEM_UNSHARE, page);
  }

  private Arm64Code memoryCall(long function, long page) {
    return set(0, function).set(1, page).set(2, 0).set(3, 0).call();
  }

  /** Waits until the 32 bits at a fixed address, loaded to X11, are not zero. */
  public Arm64Code awaitNonzero(long address) {
    set(9, address);
    word(0xB9400000 | 9 << 5 | 11); // 1: ldr w11, [x9]
    return word(0xB4000000 | (-1 & 0x7FFFF) << 5 | 11); // cbz x11, 1b
  }

  /** Waits until a bit of the 32 bits at a fixed address, loaded to X11, is set. */
  public Arm64Code awaitBit(long address, int bit) {
    set(9, address);
    word(0xB9400000 | 9 << 5 | 11); // 1: ldr w11, [x9]
    return word(0x36000000 | bit << 19 | (-1 & 0x3FFF) << 5 | 11); // tbz w11, bit, 1b
  }

  /** Stores a 32-bit number at a fixed address. */
  public Arm64Code store(long address, int value) {
    return set(11, Integer.toUnsignedLong(value)).storeInt(11, address);
  }

  /** Repeats everything from an offset of {@link #size()} for ever. */
  public Arm64Code repeatFrom(int offset) {
    return word(0x14000000 | (offset - size()) / 4 & 0x3FFFFFF);
  }

  /** 1: wfi; b 1b. */
  public Arm64Code halt() {
    return word(0xD503207F).word(0x14000000 | -1 & 0x3FFFFFF);
  }

  /** 1: b 1b. */
  public Arm64Code spin() {
    return word(0x14000000);
  }

  /** Returns the number of bytes so far. */
  public int size() {
    return code.size();
  }

  /** Returns the address at which the next instruction of an {@link #image} will be. */
  public long here() {
    return RAM + HEADER + size();
  }

  /** Returns the bytes. */
  public byte[] bytes() {
    return code.toByteArray();
  }

  /** Returns a kernel Image whose first instruction jumps to the code. */
  public byte[] image() {
    ByteBuffer b = ByteBuffer.allocate(HEADER + size()).order(ByteOrder.LITTLE_ENDIAN);
    b.putInt(0, 0x14000000 | HEADER / 4).putLong(16, HEADER + size() + 4095 & -4096);
    b.putLong(24, 0xA).putInt(56, 0x644D5241);
    b.put(HEADER, bytes());
    return b.array();
  }
}
