package io.github.avf4j.kvm.boot.arm64;

import io.github.avf4j.kvm.device.MmioDevice;
import java.time.InstantSource;

/** The real-time clocks of Arm that guests know. Thread-safe. */
enum Rtc {
  /** What the firmware of AVF and its kernels know. */
  PL030(0x030),
  /** What the kernels of distributions know. */
  PL031(0x031);

  static final int SIZE = 0x1000;

  private static final int DESIGNER_ARM = 0x41 << 12;
  private static final int PRIMECELL_ID = 0xB105F00D;
  private static final int DATA = 0;
  private static final int ENABLED = 0x0C; // of the PL031; the PL030 has nothing to read there
  private static final int PERIPHERAL_ID = 0xFE0;
  private static final int CELL_ID = 0xFF0;

  private final int part;

  Rtc(int part) {
    this.part = part;
  }

  /** Returns its name in device trees. */
  String compatible() {
    return "arm,pl0" + Integer.toHexString(part);
  }

  /** Returns part number and designer, as the identification registers have them. */
  int peripheralId() {
    return DESIGNER_ARM | part;
  }

  /**
   * Returns a clock that shows the time of {@code source} in seconds since 1970 and cannot be set;
   * it has no alarm. Accesses are 4 bytes wide.
   */
  MmioDevice device(InstantSource source) {
    return new MmioDevice() {
      @Override
      public long readMmio(int offset, int length) {
        if (length != Integer.BYTES) {
          return 0;
        }
        return Integer.toUnsignedLong(
            switch (offset) {
              case DATA -> (int) source.instant().getEpochSecond();
              case ENABLED -> 1;
              default -> identification(offset);
            });
      }

      @Override
      public void writeMmio(int offset, int length, long value) {
        // the host's clock is not the guest's to set
      }
    };
  }

  /** Each register has one byte of a number. */
  private int identification(int offset) {
    if (offset < PERIPHERAL_ID || offset % Integer.BYTES != 0) {
      return 0;
    }
    int number = offset < CELL_ID ? peripheralId() : PRIMECELL_ID;
    return number >>> (offset & 0xF) / Integer.BYTES * Byte.SIZE & 0xFF;
  }
}
