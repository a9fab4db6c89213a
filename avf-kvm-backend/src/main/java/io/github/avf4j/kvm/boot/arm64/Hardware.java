package io.github.avf4j.kvm.boot.arm64;

/**
 * What a device tree tells of the machine itself. Thread-safe.
 *
 * @param memory the size of RAM in bytes
 * @param vcpus how many vCPUs there are
 * @param virtioDevices how many virtio-mmio windows are in use
 * @param gic the interrupt controller
 * @param rtc the clock
 * @param sharedPool the size in bytes of the pool that a protected guest shares with its devices; 0
 *     if devices may access all memory
 */
record Hardware(long memory, int vcpus, int virtioDevices, Gic gic, Rtc rtc, long sharedPool) {
  private static final long LARGEST_POOL = 64L << 20;
  private static final long POOL_ALIGNMENT = 64 << 10;

  /** Returns the size of the pool of a protected machine with {@code memory} bytes of RAM. */
  static long sharedPool(long memory) {
    return Math.min(LARGEST_POOL, memory / 4 & -POOL_ALIGNMENT);
  }
}
