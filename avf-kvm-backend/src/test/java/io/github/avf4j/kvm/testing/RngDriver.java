package io.github.avf4j.kvm.testing;

/**
 * The part of a tiny guest that drives the rng device, in the third window, by polling. Confined to
 * one thread.
 *
 * @param window where the device's registers are
 * @param rings the page of the queue: descriptors, and the available and used rings above them
 */
public record RngDriver(long window, long rings) {
  private static final long WINDOW = 0x4002000;
  private static final int STATUS = 0x70;
  private static final int NEEDS_RESET_BIT = 6;
  private static final int AVAILABLE = 0x100;
  private static final int USED = 0x200;

  /** Returns a driver whose queue is in the page at {@code rings}. */
  public static RngDriver at(long rings) {
    return new RngDriver(WINDOW, rings);
  }

  /** Sets up the device: VERSION_1 and ACCESS_PLATFORM, one queue of 4. */
  public RngDriver start(Arm64Code code) {
    register(code, STATUS, 0).register(code, STATUS, 1).register(code, STATUS, 3);
    register(code, 0x24, 0).register(code, 0x20, 0);
    register(code, 0x24, 1).register(code, 0x20, 3);
    register(code, STATUS, 11);
    register(code, 0x30, 0).register(code, 0x38, 4);
    register(code, 0x80, (int) rings).register(code, 0x84, 0);
    register(code, 0x90, (int) rings + AVAILABLE).register(code, 0x94, 0);
    register(code, 0xA0, (int) rings + USED).register(code, 0xA4, 0);
    return register(code, 0x44, 1).register(code, STATUS, 15);
  }

  /** Writes the first request, 64 bytes for {@code buffer}, and tells the device. */
  public RngDriver request(Arm64Code code, long buffer) {
    code.store(rings, (int) buffer).store(rings + 4, 0);
    code.store(rings + 8, 64).store(rings + 12, 2); // the device writes
    code.store(rings + AVAILABLE + 4, 0).store(rings + AVAILABLE, 1 << 16); // flags 0, index 1
    return tell(code);
  }

  /** Tells the device that there is a request. */
  public RngDriver tell(Arm64Code code) {
    return register(code, 0x50, 0);
  }

  /** Waits until the device has served it. */
  public void awaitUsed(Arm64Code code) {
    code.awaitBit(rings + USED, 16);
  }

  /** Waits until the device says that it must be reset. */
  public void awaitNeedsReset(Arm64Code code) {
    code.awaitBit(window + STATUS, NEEDS_RESET_BIT);
  }

  private RngDriver register(Arm64Code code, int offset, int value) {
    code.store(window + offset, value);
    return this;
  }
}
