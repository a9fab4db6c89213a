package io.github.avf4j.kvm.ioctl;

import io.github.avf4j.linux.NativeBuffer;
import java.nio.ByteBuffer;

/**
 * A flyweight over {@code struct kvm_sregs} of x86-64 (312 bytes): segments of 24 bytes (cs 0, ds
 * 24, es 48, fs 72, gs 96, ss 120, tr 144, ldt 168), gdt 192, idt 208, cr0 224, cr3 240, cr4 248,
 * efer 264. A segment has base 0, limit 8, selector 12, type 14, present 15, dpl 16, db 17, s 18, l
 * 19, g 20; a table has base 0, limit 8. Confined to one thread.
 */
public final class SpecialRegisters {
  public static final int CS = 0;
  public static final int DS = 24;
  public static final int ES = 48;
  public static final int FS = 72;
  public static final int GS = 96;
  public static final int SS = 120;
  public static final int TR = 144;
  public static final int GDT = 192;
  public static final int IDT = 208;
  public static final int CR0 = 224;
  public static final int CR3 = 240;
  public static final int CR4 = 248;
  public static final int EFER = 264;

  /** What a descriptor of the global descriptor table says, as the CPU keeps it. */
  public record Segment(int selector, long descriptor) {}

  private final NativeBuffer buffer = NativeBuffer.allocate(312);

  /** Returns a control register, or the base of a segment or table, by its offset. */
  public long get(int register) {
    return buffer.bytes().getLong(register);
  }

  /** Sets a control register by its offset and returns this. */
  public SpecialRegisters set(int register, long value) {
    buffer.bytes().putLong(register, value);
    return this;
  }

  /** Sets a segment register from its descriptor (Intel SDM volume 3, 3.4.5) and returns this. */
  public SpecialRegisters setSegment(int register, Segment segment) {
    long d = segment.descriptor();
    int base = (int) (d >>> 16 & 0xFFFFFF | (d >>> 56 & 0xFF) << 24);
    int limit = (int) (d & 0xFFFF | d >>> 32 & 0xF0000);
    boolean pages = (d >>> 55 & 1) != 0;
    ByteBuffer b = buffer.bytes();
    b.putLong(register, Integer.toUnsignedLong(base));
    b.putInt(register + 8, pages ? limit << 12 | 0xFFF : limit);
    b.putShort(register + 12, (short) segment.selector());
    b.put(register + 14, (byte) (d >>> 40 & 0xF)); // type
    b.put(register + 15, (byte) (d >>> 47 & 1)); // present
    b.put(register + 16, (byte) (d >>> 45 & 3)); // dpl
    b.put(register + 17, (byte) (d >>> 54 & 1)); // db
    b.put(register + 18, (byte) (d >>> 44 & 1)); // s
    b.put(register + 19, (byte) (d >>> 53 & 1)); // l
    b.put(register + 20, (byte) (pages ? 1 : 0));
    b.put(register + 22, (byte) 0); // usable
    return this;
  }

  /** Sets base and limit of {@link #GDT} or {@link #IDT} and returns this. */
  public SpecialRegisters setTable(int register, long base, int limit) {
    buffer.bytes().putLong(register, base).putShort(register + 8, (short) limit);
    return this;
  }

  NativeBuffer buffer() {
    return buffer;
  }
}
