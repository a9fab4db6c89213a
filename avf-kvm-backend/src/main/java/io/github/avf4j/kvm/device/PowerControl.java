package io.github.avf4j.kvm.device;

import io.github.avf4j.StopReason;
import java.util.function.Consumer;

/**
 * The ports that switch the machine off and reset it: the sleep control, sleep status and reset
 * registers of hardware-reduced ACPI (ACPI 6.5, 4.8.3.7 and 4.8.3.6). Thread-safe.
 */
public final class PowerControl implements PortDevice {
  /** The first of the eight ports. */
  public static final int BASE = 0x600;

  /** Where the guest writes the sleep type and the bit that makes it sleep. */
  public static final int SLEEP_CONTROL = BASE;

  /** Where the guest would see that it has woken up. */
  public static final int SLEEP_STATUS = BASE + 1;

  /** Where the guest writes {@link #RESET_VALUE} to be reset. */
  public static final int RESET = BASE + 2;

  /** See {@link #RESET}. */
  public static final int RESET_VALUE = 1;

  /** The sleep type of being off. */
  public static final int SLEEP_TYPE_OFF = 5;

  private static final int SLEEP_ENABLE = 1 << 5;

  private final Consumer<StopReason> stop;

  /** Makes the device; {@code stop} ends the machine. */
  public PowerControl(Consumer<StopReason> stop) {
    this.stop = stop;
  }

  @Override
  public int readPort(int offset) {
    return 0;
  }

  @Override
  public void writePort(int offset, int value) {
    if (offset == SLEEP_CONTROL - BASE) {
      if ((value & SLEEP_ENABLE) != 0 && (value >> 2 & 7) == SLEEP_TYPE_OFF) {
        stop.accept(new StopReason.Shutdown());
      }
    } else if (offset == RESET - BASE && value == RESET_VALUE) {
      stop.accept(new StopReason.Reboot());
    }
  }
}
