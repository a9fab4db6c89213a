package io.github.avf4j.kvm.device;

/**
 * CMOS memory of zeros with a clock that is never in the middle of an update, so that nobody waits
 * for the end of one. Guests get the time from kvm-clock. Thread-safe.
 */
public final class Cmos implements PortDevice {
  /** The index port; data is the next one. */
  public static final int BASE = 0x70;

  private static final int STATUS_B = 0x0B;
  private static final int STATUS_D = 0x0D;

  private volatile int index;

  @Override
  public int readPort(int offset) {
    if (offset != 1) {
      return 0xFF;
    }
    return switch (index) {
      case STATUS_B -> 2; // 24 hours
      case STATUS_D -> 0x80; // the battery is good
      default -> 0;
    };
  }

  @Override
  public void writePort(int offset, int value) {
    if (offset == 0) {
      index = value & 0x7F;
    }
  }
}
