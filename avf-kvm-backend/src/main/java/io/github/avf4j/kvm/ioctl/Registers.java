package io.github.avf4j.kvm.ioctl;

import io.github.avf4j.linux.NativeBuffer;

/**
 * A flyweight over {@code struct kvm_regs} of x86-64 (144 bytes): rax 0, rbx 8, rcx 16, rdx 24, rsi
 * 32, rdi 40, rsp 48, rbp 56, r8 to r15 from 64, rip 128, rflags 136. Confined to one thread.
 */
public final class Registers {
  public static final int RBX = 8;
  public static final int RSI = 32;
  public static final int RSP = 48;
  public static final int RBP = 56;
  public static final int RIP = 128;
  public static final int RFLAGS = 136;

  /** The bit of RFLAGS that is always set. */
  public static final long RFLAGS_RESERVED = 2;

  private final NativeBuffer buffer = NativeBuffer.allocate(144);

  /** Returns a register by its offset. */
  public long get(int register) {
    return buffer.bytes().getLong(register);
  }

  /** Sets a register by its offset and returns this. */
  public Registers set(int register, long value) {
    buffer.bytes().putLong(register, value);
    return this;
  }

  NativeBuffer buffer() {
    return buffer;
  }
}
