package io.github.avf4j.virtio.testing;

import io.github.avf4j.virtio.memory.GuardedAccess;
import io.github.avf4j.virtio.memory.GuestMemory;
import io.github.avf4j.virtio.memory.GuestMemoryException;
import io.github.avf4j.virtio.memory.GuestRange;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.BitSet;
import java.util.List;

/** The memory of a guest from 0 on, which shares the pages that the test says. Thread-safe. */
public final class SharedPages implements GuardedAccess {
  /** The size of what is shared or not. */
  public static final int PAGE = 4096;

  private final ByteBuffer bytes;
  private final BitSet shared = new BitSet();

  /** Makes {@code size} bytes of which none is shared. */
  public SharedPages(int size) {
    bytes = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Returns the memory as a device sees it. */
  public GuestMemory memory() {
    return GuestMemory.guarded(List.of(new GuestRange(0, bytes.capacity())), this);
  }

  /** Shares all. */
  public SharedPages shareAll() {
    return share(0, bytes.capacity());
  }

  /** Shares the pages of {@code length} bytes at {@code gpa}. */
  public synchronized SharedPages share(long gpa, long length) {
    shared.set((int) (gpa / PAGE), (int) ((gpa + length + PAGE - 1) / PAGE));
    return this;
  }

  /** Takes the pages of {@code length} bytes at {@code gpa} back. */
  public synchronized void unshare(long gpa, long length) {
    shared.clear((int) (gpa / PAGE), (int) ((gpa + length + PAGE - 1) / PAGE));
  }

  @Override
  public synchronized long load(long gpa, int width) {
    require(gpa, width);
    int at = (int) gpa;
    return switch (width) {
      case Byte.BYTES -> Byte.toUnsignedLong(bytes.get(at));
      case Short.BYTES -> Short.toUnsignedLong(bytes.getShort(at));
      case Integer.BYTES -> Integer.toUnsignedLong(bytes.getInt(at));
      default -> bytes.getLong(at);
    };
  }

  @Override
  public synchronized void store(long gpa, int width, long value) {
    require(gpa, width);
    int at = (int) gpa;
    switch (width) {
      case Byte.BYTES -> bytes.put(at, (byte) value);
      case Short.BYTES -> bytes.putShort(at, (short) value);
      case Integer.BYTES -> bytes.putInt(at, (int) value);
      default -> bytes.putLong(at, value);
    }
  }

  @Override
  public synchronized void read(long gpa, ByteBuffer target) {
    require(gpa, target.remaining());
    target.put(bytes.slice((int) gpa, target.remaining()));
  }

  @Override
  public synchronized void write(long gpa, ByteBuffer source) {
    require(gpa, source.remaining());
    bytes.slice((int) gpa, source.remaining()).put(source);
  }

  private void require(long gpa, int length) {
    int first = (int) (gpa / PAGE);
    int kept = shared.nextClearBit(first);
    if (length > 0 && kept <= (gpa + length - 1) / PAGE) {
      throw new GuestMemoryException(gpa, length, "are not shared by the guest");
    }
  }
}
