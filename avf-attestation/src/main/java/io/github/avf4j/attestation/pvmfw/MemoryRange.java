package io.github.avf4j.attestation.pvmfw;

/**
 * Guest-physical memory.
 *
 * @param start its first address
 * @param size in bytes
 */
public record MemoryRange(long start, long size) {
  /** The first address after it. */
  public long end() {
    return start + size;
  }

  /** Whether all of it lies in another range. */
  public boolean isInside(MemoryRange other) {
    return start >= other.start && size >= 0 && start <= other.end() && size <= other.end() - start;
  }

  /** Whether the two share an address. */
  public boolean overlaps(MemoryRange other) {
    return start < other.end() && other.start < end();
  }
}
