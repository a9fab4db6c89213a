package io.github.avf4j.virtio.memory;

/**
 * A range of guest-physical addresses that is RAM. Thread-safe.
 *
 * @param base the guest-physical address of the first byte, a multiple of 4096
 * @param size the length in bytes, a nonzero multiple of 4096
 */
public record GuestRange(long base, long size) {
  private static final int PAGE_SIZE = 4096;

  /** Rejects a range that is not page-aligned. */
  public GuestRange {
    if (base < 0 || base % PAGE_SIZE != 0) {
      throw new IllegalArgumentException(
          "the base of a region must be a multiple of 4096 below 2^63 but was 0x"
              + Long.toHexString(base));
    }
    if (size <= 0 || size % PAGE_SIZE != 0 || base + size < 0) {
      throw new IllegalArgumentException(
          "the size of a region must be a nonzero multiple of 4096 and end below 2^63 but was "
              + size);
    }
  }

  /** Returns the address behind the last byte. */
  public long end() {
    return base + size;
  }
}
