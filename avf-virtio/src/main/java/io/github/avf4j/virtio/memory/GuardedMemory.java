package io.github.avf4j.virtio.memory;

import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/** Memory that is touched by a {@link GuardedAccess} only. Thread-safe. */
final class GuardedMemory extends GuestMemory {
  /** How much is lent at a time. */
  static final int BOUNCE_SIZE = 64 << 10;

  private final GuardedAccess access;

  // Devices lend on few threads, which live as long as the machine.
  private final ThreadLocal<ByteBuffer> bounce =
      ThreadLocal.withInitial(
          () -> ByteBuffer.allocateDirect(BOUNCE_SIZE).order(ByteOrder.LITTLE_ENDIAN));

  /** Makes the memory of {@code sorted} ranges, by ascending address. */
  GuardedMemory(List<GuestRange> sorted, GuardedAccess access) {
    super(sorted);
    this.access = access;
  }

  @Override
  public byte loadByte(long gpa) {
    return (byte) load(gpa, Byte.BYTES);
  }

  @Override
  public short loadShort(long gpa) {
    return (short) load(gpa, Short.BYTES);
  }

  @Override
  public int loadInt(long gpa) {
    return (int) load(gpa, Integer.BYTES);
  }

  @Override
  public long loadLong(long gpa) {
    return load(gpa, Long.BYTES);
  }

  @Override
  public void storeByte(long gpa, byte value) {
    store(gpa, Byte.BYTES, value);
  }

  @Override
  public void storeShort(long gpa, short value) {
    store(gpa, Short.BYTES, value);
  }

  @Override
  public void storeInt(long gpa, int value) {
    store(gpa, Integer.BYTES, value);
  }

  @Override
  public void storeLong(long gpa, long value) {
    store(gpa, Long.BYTES, value);
  }

  @Override
  public short loadShortAcquire(long gpa) {
    requireAligned(gpa);
    short value = loadShort(gpa);
    // With the load above an acquire; a system call alone orders nothing.
    VarHandle.acquireFence();
    return value;
  }

  @Override
  public void storeShortRelease(long gpa, short value) {
    requireAligned(gpa);
    VarHandle.releaseFence();
    storeShort(gpa, value);
  }

  @Override
  public void read(long gpa, ByteBuffer target) {
    require(gpa, target.remaining());
    int limit = target.limit();
    for (long at = gpa; target.position() < limit; target.limit(limit)) {
      int part = part(at, limit - target.position());
      target.limit(target.position() + part);
      access.read(at, target);
      at += part;
    }
  }

  @Override
  public void write(long gpa, ByteBuffer source) {
    require(gpa, source.remaining());
    int limit = source.limit();
    for (long at = gpa; source.position() < limit; source.limit(limit)) {
      int part = part(at, limit - source.position());
      source.limit(source.position() + part);
      access.write(at, source);
      at += part;
    }
  }

  @Override
  public <E extends Exception> int lendToRead(long gpa, int limit, Borrower<E> reader) throws E {
    int length = part(gpa, Math.min(limit, BOUNCE_SIZE));
    ByteBuffer copy = bounce.get().clear().limit(length);
    access.read(gpa, copy);
    reader.use(copy.flip());
    return length;
  }

  @Override
  public <E extends Exception> int lendToFill(long gpa, int limit, Borrower<E> writer) throws E {
    int length = part(gpa, Math.min(limit, BOUNCE_SIZE));
    ByteBuffer copy = bounce.get().clear().limit(length);
    writer.use(copy);
    access.write(gpa, copy.rewind().limit(length));
    return length;
  }

  /** Returns how many of {@code wanted} bytes at {@code gpa} lie in the range of the first. */
  private int part(long gpa, int wanted) {
    int range = find(gpa);
    if (range < 0) {
      throw notRam(gpa, wanted);
    }
    return (int) Math.min(wanted, ranges().get(range).end() - gpa);
  }

  private long load(long gpa, int width) {
    return part(gpa, width) == width ? access.load(gpa, width) : assemble(gpa, width);
  }

  private void store(long gpa, int width, long value) {
    if (part(gpa, width) == width) {
      access.store(gpa, width, value);
    } else {
      scatter(gpa, value, width);
    }
  }
}
