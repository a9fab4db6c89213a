package io.github.avf4j.virtio.memory;

import java.nio.ByteBuffer;

/**
 * The only way to memory that a guest shares page by page: each access succeeds, or throws {@link
 * GuestMemoryException} because the guest has not shared all of it, without harm to anybody.
 *
 * <p>Callers have checked that the whole access lies in one {@link GuestRange}. An access that
 * fails may have been done in part. Implementations never block and are thread-safe.
 */
public interface GuardedAccess {
  /**
   * Loads {@code width} (1, 2, 4 or 8) bytes at {@code gpa}, little-endian and zero-extended; in
   * one access if {@code gpa} is a multiple of {@code width}.
   */
  long load(long gpa, int width);

  /**
   * Stores the low {@code width} (1, 2, 4 or 8) bytes of {@code value} at {@code gpa},
   * little-endian; in one access if {@code gpa} is a multiple of {@code width}.
   */
  void store(long gpa, int width, long value);

  /** Fills what remains of {@code target} with the bytes at {@code gpa}. */
  void read(long gpa, ByteBuffer target);

  /** Copies what remains of {@code source} to {@code gpa}. */
  void write(long gpa, ByteBuffer source);
}
