package io.github.avf4j.kvm.device;

import io.github.avf4j.StopReason;
import java.util.function.Consumer;

/**
 * A keyboard controller without a keyboard: its one use is the command that resets the machine.
 * Thread-safe.
 */
public final class I8042 implements PortDevice {
  /** The first of its ports; the command port is 4 above it. */
  public static final int BASE = 0x60;

  private static final int COMMAND = 4;
  private static final int RESET = 0xFE;

  private final Consumer<StopReason> stop;

  /** Makes the device; {@code stop} ends the machine. */
  public I8042(Consumer<StopReason> stop) {
    this.stop = stop;
  }

  /** Returns 0: as a status it says that nothing waits and that commands are taken. */
  @Override
  public int readPort(int offset) {
    return offset == 0 || offset == COMMAND ? 0 : 0xFF;
  }

  @Override
  public void writePort(int offset, int value) {
    if (offset == COMMAND && value == RESET) {
      stop.accept(new StopReason.Reboot());
    }
  }
}
