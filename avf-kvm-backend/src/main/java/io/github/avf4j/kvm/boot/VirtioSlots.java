package io.github.avf4j.kvm.boot;

/**
 * Where a board has its virtio-mmio windows of 4096 bytes, and their interrupt lines. Thread-safe.
 *
 * @param base the guest-physical address of the first window
 * @param firstInterrupt the interrupt line of the first window; those of the others follow
 * @param accessPlatform whether drivers must use only memory that the guest shares
 */
public record VirtioSlots(long base, int firstInterrupt, boolean accessPlatform) {
  /** The size of a window. */
  public static final int WINDOW = 0x1000;

  /** Returns the address of window {@code index}. */
  public long window(int index) {
    return base + (long) index * WINDOW;
  }
}
