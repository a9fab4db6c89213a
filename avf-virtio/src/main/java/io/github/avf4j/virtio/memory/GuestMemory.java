package io.github.avf4j.virtio.memory;

import static java.lang.invoke.MethodHandles.byteBufferViewVarHandle;
import static java.nio.ByteOrder.LITTLE_ENDIAN;

import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * The RAM of a guest, by guest-physical address.
 *
 * <p>All values are little-endian. An access may cross from a chunk to the next and from a region
 * to the adjacent one; whatever touches an address that is not RAM throws {@link
 * GuestMemoryException}. The guest may change every byte at any time: read what it wrote once, then
 * check it, then use it. An access may be torn, except those that say otherwise.
 *
 * <p>Never blocks. Thread-safe.
 */
public final class GuestMemory {
  private static final VarHandle SHORT = byteBufferViewVarHandle(short[].class, LITTLE_ENDIAN);
  private static final int CHUNK_SHIFT = 30;
  private static final long CHUNK_MASK = GuestRegion.CHUNK_SIZE - 1L;

  private final List<GuestRegion> regions;
  private final long[] bases;
  private final long[] sizes;

  /** The chunks of all regions, one after the other. */
  private final ByteBuffer[] chunks;

  /** What turns an address in a region into a location: chunk number times 2^30 plus offset. */
  private final long[] deltas;

  private GuestMemory(List<GuestRegion> sorted) {
    regions = List.copyOf(sorted);
    bases = regions.stream().mapToLong(GuestRegion::base).toArray();
    sizes = regions.stream().mapToLong(GuestRegion::size).toArray();
    deltas = new long[bases.length];
    List<ByteBuffer> all = new ArrayList<>();
    for (int i = 0; i < bases.length; i++) {
      deltas[i] = ((long) all.size() << CHUNK_SHIFT) - bases[i];
      all.addAll(regions.get(i).chunks());
    }
    chunks = all.toArray(new ByteBuffer[0]);
  }

  /**
   * Returns the memory that consists of {@code regions}, in any order.
   *
   * @throws IllegalArgumentException if there is none or two overlap
   */
  public static GuestMemory of(List<GuestRegion> regions) {
    if (regions.isEmpty()) {
      throw new IllegalArgumentException("a guest must have at least one region of memory");
    }
    List<GuestRegion> sorted = new ArrayList<>(regions);
    sorted.sort(Comparator.comparingLong(GuestRegion::base));
    for (int i = 1; i < sorted.size(); i++) {
      if (sorted.get(i - 1).end() > sorted.get(i).base()) {
        throw new IllegalArgumentException(
            "the regions at 0x"
                + Long.toHexString(sorted.get(i - 1).base())
                + " and 0x"
                + Long.toHexString(sorted.get(i).base())
                + " overlap");
      }
    }
    return new GuestMemory(sorted);
  }

  /** Returns the regions by ascending address. */
  public List<GuestRegion> regions() {
    return regions;
  }

  /** Says whether all of {@code length} bytes at {@code gpa} are RAM; true for no bytes. */
  public boolean contains(long gpa, long length) {
    long at = gpa;
    long left = length;
    while (left > 0) {
      int region = find(at);
      if (region < 0) {
        return false;
      }
      long part = Math.min(left, sizes[region] - (at - bases[region]));
      at += part;
      left -= part;
    }
    return left == 0;
  }

  /** Loads one byte. */
  public byte loadByte(long gpa) {
    long location = locate(gpa, Byte.BYTES);
    return chunk(location).get(offset(location));
  }

  /** Loads two bytes. */
  public short loadShort(long gpa) {
    long location = locate(gpa, Short.BYTES);
    return fits(location, Short.BYTES)
        ? chunk(location).getShort(offset(location))
        : (short) assemble(gpa, Short.BYTES);
  }

  /** Loads four bytes. */
  public int loadInt(long gpa) {
    long location = locate(gpa, Integer.BYTES);
    return fits(location, Integer.BYTES)
        ? chunk(location).getInt(offset(location))
        : (int) assemble(gpa, Integer.BYTES);
  }

  /** Loads eight bytes. */
  public long loadLong(long gpa) {
    long location = locate(gpa, Long.BYTES);
    return fits(location, Long.BYTES)
        ? chunk(location).getLong(offset(location))
        : assemble(gpa, Long.BYTES);
  }

  /** Stores one byte. */
  public void storeByte(long gpa, byte value) {
    long location = locate(gpa, Byte.BYTES);
    chunk(location).put(offset(location), value);
  }

  /** Stores two bytes. */
  public void storeShort(long gpa, short value) {
    long location = locate(gpa, Short.BYTES);
    if (fits(location, Short.BYTES)) {
      chunk(location).putShort(offset(location), value);
    } else {
      scatter(gpa, value, Short.BYTES);
    }
  }

  /** Stores four bytes. */
  public void storeInt(long gpa, int value) {
    long location = locate(gpa, Integer.BYTES);
    if (fits(location, Integer.BYTES)) {
      chunk(location).putInt(offset(location), value);
    } else {
      scatter(gpa, value, Integer.BYTES);
    }
  }

  /** Stores eight bytes. */
  public void storeLong(long gpa, long value) {
    long location = locate(gpa, Long.BYTES);
    if (fits(location, Long.BYTES)) {
      chunk(location).putLong(offset(location), value);
    } else {
      scatter(gpa, value, Long.BYTES);
    }
  }

  /**
   * Loads two bytes at an even address in one access; no later access moves before it.
   *
   * @throws GuestMemoryException also if the address is odd
   */
  public short loadShortAcquire(long gpa) {
    long location = locateAligned(gpa);
    return (short) SHORT.getAcquire(chunk(location), offset(location));
  }

  /**
   * Stores two bytes at an even address in one access; no earlier access moves behind it.
   *
   * @throws GuestMemoryException also if the address is odd
   */
  public void storeShortRelease(long gpa, short value) {
    long location = locateAligned(gpa);
    SHORT.setRelease(chunk(location), offset(location), value);
  }

  /** Fills what remains of {@code target} with the bytes at {@code gpa}. */
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

  /** Copies {@code length} bytes at {@code gpa} to {@code target} from {@code start} on. */
  public void read(long gpa, byte[] target, int start, int length) {
    read(gpa, ByteBuffer.wrap(target, start, length));
  }

  /** Copies what remains of {@code source} to {@code gpa}. */
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

  /** Copies {@code length} bytes of {@code source} from {@code start} on to {@code gpa}. */
  public void write(long gpa, byte[] source, int start, int length) {
    write(gpa, ByteBuffer.wrap(source, start, length));
  }

  /**
   * Returns a direct little-endian view of {@code length} bytes at {@code gpa}.
   *
   * @throws GuestMemoryException also if they do not lie in one chunk; see {@link #contiguous}
   */
  public ByteBuffer slice(long gpa, int length) {
    if (length == 0) {
      return chunks[0].slice(0, 0).order(LITTLE_ENDIAN);
    }
    if (contiguous(gpa, length) < length) {
      throw new GuestMemoryException(gpa, length, "do not lie in one chunk");
    }
    long location = locate(gpa, 1);
    return chunk(location).slice(offset(location), length).order(LITTLE_ENDIAN);
  }

  /**
   * Returns how many of {@code length} bytes at {@code gpa} lie in the chunk of the first.
   *
   * @throws GuestMemoryException if the first is not RAM and {@code length} is not zero
   */
  public int contiguous(long gpa, int length) {
    return length == 0 ? 0 : Math.min(length, left(locate(gpa, 1)));
  }

  private void require(long gpa, int length) {
    if (!contains(gpa, length)) {
      throw new GuestMemoryException(gpa, length, "are not all in RAM");
    }
  }

  private int find(long gpa) {
    for (int i = 0; i < bases.length; i++) {
      if (Long.compareUnsigned(gpa - bases[i], sizes[i]) < 0) {
        return i;
      }
    }
    return -1;
  }

  private long locate(long gpa, int length) {
    int region = find(gpa);
    if (region < 0) {
      throw new GuestMemoryException(gpa, length, "are not all in RAM");
    }
    return gpa + deltas[region];
  }

  private long locateAligned(long gpa) {
    if ((gpa & 1) != 0) {
      throw new GuestMemoryException(gpa, Short.BYTES, "are not aligned");
    }
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

  private long assemble(long gpa, int width) {
    require(gpa, width);
    long value = 0;
    for (int i = 0; i < width; i++) {
      value |= (loadByte(gpa + i) & 0xffL) << 8 * i;
    }
    return value;
  }

  private void scatter(long gpa, long value, int width) {
    require(gpa, width);
    for (int i = 0; i < width; i++) {
      storeByte(gpa + i, (byte) (value >>> 8 * i));
    }
  }
}
