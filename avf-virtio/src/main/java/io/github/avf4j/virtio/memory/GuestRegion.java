package io.github.avf4j.virtio.memory;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * A range of guest-physical addresses backed by RAM.
 *
 * <p>Thread-safe as long as nobody moves the position, limit or order of a chunk.
 *
 * @param base the guest-physical address of the first byte, a multiple of 4096
 * @param size the length in bytes, a nonzero multiple of 4096
 * @param chunks direct views of the memory in order, {@link #CHUNK_SIZE} bytes each but the last,
 *     which has the rest
 */
public record GuestRegion(long base, long size, List<ByteBuffer> chunks) {
  /** The length of every chunk but the last: 1 GiB. */
  public static final int CHUNK_SIZE = 1 << 30;

  /** Rejects a region that is not page-aligned or whose chunks do not add up; makes views. */
  public GuestRegion {
    new GuestRange(base, size);
    if (chunks.size() != (size + CHUNK_SIZE - 1) / CHUNK_SIZE) {
      throw new IllegalArgumentException(
          "a region of " + size + " bytes must not have " + chunks.size() + " chunks");
    }
    List<ByteBuffer> views = new ArrayList<>(chunks.size());
    long left = size;
    for (ByteBuffer chunk : chunks) {
      if (!chunk.isDirect() || chunk.isReadOnly() || chunk.capacity() != chunkLength(left)) {
        throw new IllegalArgumentException(
            "a chunk must be a writable direct buffer of "
                + chunkLength(left)
                + " bytes but was "
                + chunk);
      }
      left -= chunk.capacity();
      views.add(chunk.duplicate().clear().order(ByteOrder.LITTLE_ENDIAN));
    }
    chunks = List.copyOf(views);
  }

  /**
   * Returns a zeroed region in direct buffers of this JVM: for devices that run without a
   * hypervisor, in tests and benchmarks.
   */
  public static GuestRegion allocate(long base, long size) {
    List<ByteBuffer> chunks = new ArrayList<>();
    for (long left = size; left > 0; left -= chunkLength(left)) {
      chunks.add(ByteBuffer.allocateDirect(chunkLength(left)));
    }
    return new GuestRegion(base, size, chunks);
  }

  /** Returns the addresses. */
  public GuestRange range() {
    return new GuestRange(base, size);
  }

  private static int chunkLength(long left) {
    return (int) Math.min(left, CHUNK_SIZE);
  }
}
