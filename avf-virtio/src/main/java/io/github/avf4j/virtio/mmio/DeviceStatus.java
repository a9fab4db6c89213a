package io.github.avf4j.virtio.mmio;

/** The bits of the status register (virtio 1.2, section 2.1) and the order in which they come. */
final class DeviceStatus {
  static final int ACKNOWLEDGE = 1;
  static final int DRIVER = 2;
  static final int DRIVER_OK = 4;
  static final int FEATURES_OK = 8;
  static final int NEEDS_RESET = 0x40;
  static final int FAILED = 0x80;

  private DeviceStatus() {}

  /** Says whether a driver may go on from {@code status} to {@code wanted} in one step. */
  static boolean isStep(int status, int wanted) {
    return switch (status) {
      case 0 -> wanted == ACKNOWLEDGE;
      case ACKNOWLEDGE -> wanted == (ACKNOWLEDGE | DRIVER);
      case ACKNOWLEDGE | DRIVER -> wanted == (ACKNOWLEDGE | DRIVER | FEATURES_OK);
      case ACKNOWLEDGE | DRIVER | FEATURES_OK ->
          wanted == (ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK);
      default -> false;
    };
  }

  /** Says whether a driver may write its features. */
  static boolean isNegotiating(int status) {
    return status == (ACKNOWLEDGE | DRIVER);
  }

  /** Says whether a driver may set up queues. */
  static boolean isSettingUp(int status) {
    return status == (ACKNOWLEDGE | DRIVER | FEATURES_OK);
  }
}
