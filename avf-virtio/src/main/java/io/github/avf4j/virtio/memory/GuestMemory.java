package io.github.avf4j.virtio.memory;

import java.nio.ByteBuffer;
import java.util.Comparator;
import java.util.List;

/**
 * The RAM of a guest, by guest-physical address.
 *
 * <p>All values are little-endian. An access may cross from a range to the adjacent one; whatever
 * touches an address that is not RAM throws {@link GuestMemoryException}. The guest may change
 * every byte at any time: read what it wrote once, then check it, then use it. An access may be
 * torn, except those that say otherwise.
 *
 * <p>There are two kinds. {@linkplain #of Mapped memory} is accessed directly. {@linkplain #guarded
 * Guarded memory} belongs to a guest that shares some of its pages and may take them back at any
 * moment: an access to any other throws {@link GuestMemoryException}, too, and may then have been
 * done in part.
 *
 * <p>Never blocks. Thread-safe.
 */
public abstract sealed class GuestMemory permits MappedMemory, GuardedMemory {
  private final List<GuestRange> ranges;
  private final long[] bases;
  private final long[] sizes;

  /** Makes the memory of {@code sorted} ranges, by ascending address. */
  GuestMemory(List<GuestRange> sorted) {
    if (sorted.isEmpty()) {
      throw new IllegalArgumentException("a guest must have at least one region of memory");
    }
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
    ranges = List.copyOf(sorted);
    bases = ranges.stream().mapToLong(GuestRange::base).toArray();
    sizes = ranges.stream().mapToLong(GuestRange::size).toArray();
  }

  /**
   * Is lent bytes of the memory for the time of a call.
   *
   * @param <E> what it may throw
   */
  @FunctionalInterface
  public interface Borrower<E extends Exception> {
    /** Takes, or fills, all that remains of {@code bytes}; must not keep the buffer. */
    void use(ByteBuffer bytes) throws E;
  }

  /**
   * Returns the memory that consists of {@code regions}, in any order.
   *
   * @throws IllegalArgumentException if there is none or two overlap
   */
  public static GuestMemory of(List<GuestRegion> regions) {
    return new MappedMemory(
        regions.stream().sorted(Comparator.comparingLong(GuestRegion::base)).toList());
  }

  /**
   * Returns memory that is touched by {@code access} only.
   *
   * @param ranges where RAM is, in any order
   * @throws IllegalArgumentException if there is none or two overlap
   */
  public static GuestMemory guarded(List<GuestRange> ranges, GuardedAccess access) {
    return new GuardedMemory(
        ranges.stream().sorted(Comparator.comparingLong(GuestRange::base)).toList(), access);
  }

  /** Returns where RAM is, by ascending address. */
  public final List<GuestRange> ranges() {
    return ranges;
  }

  /** Says whether all of {@code length} bytes at {@code gpa} are RAM; true for no bytes. */
  public final boolean contains(long gpa, long length) {
    long at = gpa;
    long left = length;
    while (left > 0) {
      int range = find(at);
      if (range < 0) {
        return false;
      }
      long part = Math.min(left, sizes[range] - (at - bases[range]));
      at += part;
      left -= part;
    }
    return left == 0;
  }

  /** Loads one byte. */
  public abstract byte loadByte(long gpa);

  /** Loads two bytes. */
  public abstract short loadShort(long gpa);

  /** Loads four bytes. */
  public abstract int loadInt(long gpa);

  /** Loads eight bytes. */
  public abstract long loadLong(long gpa);

  /** Stores one byte. */
  public abstract void storeByte(long gpa, byte value);

  /** Stores two bytes. */
  public abstract void storeShort(long gpa, short value);

  /** Stores four bytes. */
  public abstract void storeInt(long gpa, int value);

  /** Stores eight bytes. */
  public abstract void storeLong(long gpa, long value);

  /**
   * Loads two bytes at an even address in one access; no later access moves before it.
   *
   * @throws GuestMemoryException also if the address is odd
   */
  public abstract short loadShortAcquire(long gpa);

  /**
   * Stores two bytes at an even address in one access; no earlier access moves behind it.
   *
   * @throws GuestMemoryException also if the address is odd
   */
  public abstract void storeShortRelease(long gpa, short value);

  /** Fills what remains of {@code target} with the bytes at {@code gpa}. */
  public abstract void read(long gpa, ByteBuffer target);

  /** Copies {@code length} bytes at {@code gpa} to {@code target} from {@code start} on. */
  public final void read(long gpa, byte[] target, int start, int length) {
    read(gpa, ByteBuffer.wrap(target, start, length));
  }

  /** Copies what remains of {@code source} to {@code gpa}. */
  public abstract void write(long gpa, ByteBuffer source);

  /** Copies {@code length} bytes of {@code source} from {@code start} on to {@code gpa}. */
  public final void write(long gpa, byte[] source, int start, int length) {
    write(gpa, ByteBuffer.wrap(source, start, length));
  }

  /**
   * Lends bytes at {@code gpa} to be read, in a direct little-endian buffer: without a copy where
   * that can be.
   *
   * @param limit how many at most; at least one
   * @return how many were lent, at least one
   */
  public abstract <E extends Exception> int lendToRead(long gpa, int limit, Borrower<E> reader)
      throws E;

  /**
   * Lends room for bytes at {@code gpa} to be filled, in a direct little-endian buffer: without a
   * copy where that can be. The buffer's contents are not those of the guest.
   *
   * @param limit how many at most; at least one
   * @return how many were lent, at least one
   */
  public abstract <E extends Exception> int lendToFill(long gpa, int limit, Borrower<E> writer)
      throws E;

  final void require(long gpa, int length) {
    if (!contains(gpa, length)) {
      throw notRam(gpa, length);
    }
  }

  static GuestMemoryException notRam(long gpa, int length) {
    return new GuestMemoryException(gpa, length, "are not all in RAM");
  }

  static void requireAligned(long gpa) {
    if ((gpa & 1) != 0) {
      throw new GuestMemoryException(gpa, Short.BYTES, "are not aligned");
    }
  }

  /** Returns the number of the range that has {@code gpa}, negative if it is not RAM. */
  final int find(long gpa) {
    for (int i = 0; i < bases.length; i++) {
      if (Long.compareUnsigned(gpa - bases[i], sizes[i]) < 0) {
        return i;
      }
    }
    return -1;
  }

  /** Loads byte by byte what crosses a border. */
  final long assemble(long gpa, int width) {
    require(gpa, width);
    long value = 0;
    for (int i = 0; i < width; i++) {
      value |= (loadByte(gpa + i) & 0xffL) << 8 * i;
    }
    return value;
  }

  /** Stores byte by byte what crosses a border. */
  final void scatter(long gpa, long value, int width) {
    require(gpa, width);
    for (int i = 0; i < width; i++) {
      storeByte(gpa + i, (byte) (value >>> 8 * i));
    }
  }
}
