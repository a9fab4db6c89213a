package io.github.avf4j.virtio.memory;

import static java.lang.invoke.MethodHandles.byteBufferViewVarHandle;
import static java.nio.ByteOrder.LITTLE_ENDIAN;

import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** Memory that this process has mapped and may touch anywhere at any time. Thread-safe. */
final class MappedMemory extends GuestMemory {
  private static final VarHandle SHORT = byteBufferViewVarHandle(short[].class, LITTLE_ENDIAN);
  private static final int CHUNK_SHIFT = 30;
  private static final long CHUNK_MASK = GuestRegion.CHUNK_SIZE - 1L;

  /** The chunks of all regions, one after the other. */
  private final ByteBuffer[] chunks;

  /** What turns an address in a region into a location: chunk number times 2^30 plus offset. */
  private final long[] deltas;

  /** Makes the memory of {@code sorted} regions, by ascending address. */
  MappedMemory(List<GuestRegion> sorted) {
    super(sorted.stream().map(GuestRegion::range).toList());
    deltas = new long[sorted.size()];
    List<ByteBuffer> all = new ArrayList<>();
    for (int i = 0; i < deltas.length; i++) {
      deltas[i] = ((long) all.size() << CHUNK_SHIFT) - sorted.get(i).base();
      all.addAll(sorted.get(i).chunks());
    }
    chunks = all.toArray(new ByteBuffer[0]);
  }

  @Override
  public byte loadByte(long gpa) {
    long location = locate(gpa, Byte.BYTES);
    return chunk(location).get(offset(location));
  }

  @Override
  public short loadShort(long gpa) {
    long location = locate(gpa, Short.BYTES);
    return fits(location, Short.BYTES)
        ? chunk(location).getShort(offset(location))
        : (short) assemble(gpa, Short.BYTES);
  }

  @Override
  public int loadInt(long gpa) {
    long location = locate(gpa, Integer.BYTES);
    return fits(location, Integer.BYTES)
        ? chunk(location).getInt(offset(location))
        : (int) assemble(gpa, Integer.BYTES);
  }

  @Override
  public long loadLong(long gpa) {
    long location = locate(gpa, Long.BYTES);
    return fits(location, Long.BYTES)
        ? chunk(location).getLong(offset(location))
        : assemble(gpa, Long.BYTES);
  }

  @Override
  public void storeByte(long gpa, byte value) {
    long location = locate(gpa, Byte.BYTES);
    chunk(location).put(offset(location), value);
  }

  @Override
  public void storeShort(long gpa, short value) {
    long location = locate(gpa, Short.BYTES);
    if (fits(location, Short.BYTES)) {
      chunk(location).putShort(offset(location), value);
    } else {
      scatter(gpa, value, Short.BYTES);
    }
  }

  @Override
  public void storeInt(long gpa, int value) {
    long location = locate(gpa, Integer.BYTES);
    if (fits(location, Integer.BYTES)) {
      chunk(location).putInt(offset(location), value);
    } else {
      scatter(gpa, value, Integer.BYTES);
    }
  }

  @Override
  public void storeLong(long gpa, long value) {
    long location = locate(gpa, Long.BYTES);
    if (fits(location, Long.BYTES)) {
      chunk(location).putLong(offset(location), value);
    } else {
      scatter(gpa, value, Long.BYTES);
    }
  }

  @Override
  public short loadShortAcquire(long gpa) {
    long location = locateAligned(gpa);
    return (short) SHORT.getAcquire(chunk(location), offset(location));
  }

  @Override
  public void storeShortRelease(long gpa, short value) {
    long location = locateAligned(gpa);
    SHORT.setRelease(chunk(location), offset(location), value);
  }

  @Override
  public void read(long gpa, ByteBuffer target) {
    require(gpa, target.remaining());
    long at = gpa;
    while (target.hasRemaining()) {
      long location = locate(at, 1);
      int part = Math.min(target.remaining(), left(location));
      target.put(target.position(), chunk(location), offset(location), part);
      target.position(target.position() + part);
      at += part;
    }
  }

  @Override
  public void write(long gpa, ByteBuffer source) {
    require(gpa, source.remaining());
    long at = gpa;
    while (source.hasRemaining()) {
      long location = locate(at, 1);
      int part = Math.min(source.remaining(), left(location));
      chunk(location).put(offset(location), source, source.position(), part);
      source.position(source.position() + part);
      at += part;
    }
  }

  @Override
  public <E extends Exception> int lendToRead(long gpa, int limit, Borrower<E> reader) throws E {
    return lend(gpa, limit, reader);
  }

  @Override
  public <E extends Exception> int lendToFill(long gpa, int limit, Borrower<E> writer) throws E {
    return lend(gpa, limit, writer);
  }

  /** What lies in the chunk of the first byte. */
  private <E extends Exception> int lend(long gpa, int limit, Borrower<E> borrower) throws E {
    long location = locate(gpa, 1);
    int length = Math.min(limit, left(location));
    borrower.use(chunk(location).slice(offset(location), length).order(LITTLE_ENDIAN));
    return length;
  }

  private long locate(long gpa, int length) {
    int region = find(gpa);
    if (region < 0) {
      throw notRam(gpa, length);
    }
    return gpa + deltas[region];
  }

  private long locateAligned(long gpa) {
    requireAligned(gpa);
    // Chunks are made of pages, so two aligned bytes never lie in two of them.
    return locate(gpa, Short.BYTES);
  }

  private ByteBuffer chunk(long location) {
    return chunks[(int) (location >>> CHUNK_SHIFT)];
  }

  private static int offset(long location) {
    return (int) (location & CHUNK_MASK);
  }

  private int left(long location) {
    return chunk(location).capacity() - offset(location);
  }

  private boolean fits(long location, int length) {
    return left(location) >= length;
  }
}
