package io.github.avf4j.linux;

import com.sun.jna.Pointer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A range of mapped memory.
 *
 * <p>The views of it must not be touched after {@link #close()}: that would end the JVM. Whoever
 * closes it has stopped every thread that knows a view. Thread-safe.
 */
public final class MemoryMapping implements AutoCloseable {
  /** The size of a view: a {@link ByteBuffer} cannot cover more than 2 GiB. */
  public static final long CHUNK_SIZE = 1L << 30;

  /** The size of a page that mappings are multiples of: 4, 16 or 64 KiB. */
  public static final long PAGE_SIZE = LibC.getpagesize();

  private final long address;
  private final long size;
  private final AtomicBoolean closed = new AtomicBoolean();

  private MemoryMapping(long address, long size) {
    this.address = address;
    this.size = size;
  }

  /**
   * Maps {@code size} bytes of zeros that take no memory until they are touched, and no swap.
   *
   * @throws io.github.avf4j.HypervisorException if there is no address space left
   */
  public static MemoryMapping anonymous(long size) {
    int flags = LibC.MAP_PRIVATE | LibC.MAP_ANONYMOUS | LibC.MAP_NORESERVE;
    return new MemoryMapping(
        map("mmap(anonymous, " + size + " bytes)", 0, size, flags, -1, 0), size);
  }

  /**
   * Maps a part of a memfd or device, readable and writable, shared with everybody who maps it. The
   * descriptor may be closed afterwards.
   *
   * @throws io.github.avf4j.HypervisorException if it cannot be mapped
   */
  public static MemoryMapping shared(Fd fd, long offset, long size) {
    return new MemoryMapping(
        map("mmap(" + fd + ")", 0, size, LibC.MAP_SHARED, fd.number(), offset), size);
  }

  /**
   * Maps a part of a file for reading; writing to its views ends the JVM. The file must never
   * shrink (seal the memfd). The descriptor may be closed afterwards.
   *
   * @throws io.github.avf4j.HypervisorException if it cannot be mapped
   */
  public static MemoryMapping readOnly(Fd fd, long offset, long size) {
    long address = LibC.mmap(0, size, LibC.PROT_READ, LibC.MAP_PRIVATE, fd.number(), offset);
    return new MemoryMapping(Errno.check("mmap(" + fd + ", PROT_READ)", address), size);
  }

  private static long map(String call, long at, long size, int flags, int fd, long offset) {
    return Errno.check(
        call, LibC.mmap(at, size, LibC.PROT_READ | LibC.PROT_WRITE, flags, fd, offset));
  }

  /**
   * Replaces a part of the mapping by a private copy of a part of a file: reads see the file,
   * writes stay in this mapping. All three numbers are multiples of the page size.
   *
   * <p>The file must never shrink (seal the memfd), or accesses end the JVM.
   */
  public void overlay(long at, Fd file, long fileOffset, long length) {
    if (at < 0 || length <= 0 || at > size - length) {
      throw new IllegalArgumentException(
          "the overlay must be inside 0.." + size + " but was " + length + " bytes at " + at);
    }
    map(
        "mmap(" + file + ", MAP_FIXED)",
        address + at,
        length,
        LibC.MAP_PRIVATE | LibC.MAP_FIXED | LibC.MAP_NORESERVE,
        file.number(),
        fileOffset);
  }

  /**
   * Asks for transparent huge pages where nothing was touched yet. Where the kernel has none, this
   * does nothing.
   *
   * @throws io.github.avf4j.HypervisorException if the kernel refuses for another reason
   */
  public void adviseHugePages() {
    if (LibC.madvise(address, size, LibC.MADV_HUGEPAGE) != 0 && Errno.last() != Errno.EINVAL) {
      throw Errno.failure("madvise(MADV_HUGEPAGE)", Errno.last());
    }
  }

  /**
   * Keeps the mapping from child processes: in them, nothing is at its addresses.
   *
   * @throws io.github.avf4j.HypervisorException if the kernel refuses
   */
  public void keepFromChildren() {
    Errno.check("madvise(MADV_DONTFORK)", LibC.madvise(address, size, LibC.MADV_DONTFORK));
  }

  /** Returns the address of the first byte. */
  public long address() {
    return address;
  }

  /** Returns the size in bytes. */
  public long size() {
    return size;
  }

  /** Returns little-endian views of {@link #CHUNK_SIZE} each, the last one shorter. */
  public List<ByteBuffer> chunks() {
    return chunks(0, size);
  }

  /** Returns little-endian views of a part, {@link #CHUNK_SIZE} each, the last one shorter. */
  public List<ByteBuffer> chunks(long offset, long length) {
    if (offset < 0 || length < 0 || offset > size - length) {
      throw new IllegalArgumentException(
          "the part must be inside 0.." + size + " but was " + length + " bytes at " + offset);
    }
    List<ByteBuffer> chunks = new ArrayList<>();
    for (long done = 0; done < length; done += CHUNK_SIZE) {
      chunks.add(
          new Pointer(address + offset + done)
              .getByteBuffer(0, Math.min(CHUNK_SIZE, length - done))
              .order(ByteOrder.LITTLE_ENDIAN));
    }
    return chunks;
  }

  /** Unmaps it. Idempotent. */
  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      LibC.munmap(address, size);
    }
  }
}
