package io.github.avf4j.qemu.process;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A guest of a few instructions that stores its time-stamp counter again and again, and the host's
 * side that compares it with {@link System#nanoTime()} through shared memory. Thread-safe.
 */
final class TscGuest {
  /** The size of the guest's memory in bytes. */
  static final long MEMORY_SIZE = 16 << 20;

  private static final int LOAD_ADDRESS = 0x100000;
  private static final int COUNTER_ADDRESS = 0x200000;
  private static final int ELF_HEADER = 64;
  private static final int SEGMENT_HEADER = 56;
  private static final int CODE_OFFSET = ELF_HEADER + 2 * SEGMENT_HEADER;
  private static final int NOTE_SIZE = 20;

  /** {@code again: rdtsc; mov [COUNTER_ADDRESS], eax; jmp again}, 32-bit. */
  private static final byte[] CODE = {
    0x0f, 0x31, (byte) 0xa3, 0x00, 0x00, 0x20, 0x00, (byte) 0xeb, (byte) 0xf7
  };

  private static final VarHandle INT =
      MethodHandles.byteBufferViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
  private static final long WINDOW_NANOS = 25_000_000;
  private static final long SHARP_NANOS = 5_000;
  private static final long PATIENCE_NANOS = 300_000_000;

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

  private record Sample(long nanos, int counter) {}

  /**
   * Measures the running guest for some 30 ms.
   *
   * @param memory the file that is the guest's memory
   * @return the frequency of its counter in kHz, 0 if the guest does not run or the host is so busy
   *     that nothing sharp can be said
   */
  static long measure(Path memory) {
    try (FileChannel file =
        FileChannel.open(memory, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      MappedByteBuffer counter = file.map(FileChannel.MapMode.READ_WRITE, COUNTER_ADDRESS, 4096);
      Sample first = sample(counter);
      if (first == null) {
        return 0;
      }
      LockSupport.parkNanos(WINDOW_NANOS);
      Sample second = sample(counter);
      if (second == null) {
        return 0;
      }
      return kilohertz(
          Integer.toUnsignedLong(second.counter() - first.counter()),
          second.nanos() - first.nanos());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static long kilohertz(long ticks, long nanos) {
    // 32 bits wrap after 0.8 s at 5 GHz.
    return nanos <= 0 || nanos > 700_000_000 ? 0 : Math.round(ticks * 1e6 / nanos);
  }

  /**
   * Waits for the counter to change under two looks that lie close together, which shows that
   * neither the guest nor this thread was off its processor between them.
   */
  private static @Nullable Sample sample(MappedByteBuffer counter) {
    long start = System.nanoTime();
    long before = start;
    int old = (int) INT.getOpaque(counter, 0);
    Sample best = null;
    long bestWidth = Long.MAX_VALUE;
    int changes = 0;
    while (before - start < PATIENCE_NANOS) {
      int value = (int) INT.getOpaque(counter, 0);
      long after = System.nanoTime();
      if (value != old) {
        long width = after - before;
        if (width < bestWidth) {
          bestWidth = width;
          best = new Sample(before + width / 2, value);
        }
        if (bestWidth < SHARP_NANOS && ++changes >= 64) {
          return best;
        }
      }
      old = value;
      before = after;
    }
    return bestWidth < 20 * SHARP_NANOS ? best : null;
  }
}
