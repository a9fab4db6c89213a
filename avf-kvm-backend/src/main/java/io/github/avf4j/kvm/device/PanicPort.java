package io.github.avf4j.kvm.device;

import io.github.avf4j.StopReason;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * The port on which a guest kernel tells that it has panicked: QEMU's pvpanic device, for which
 * Linux has a driver. Thread-safe.
 */
public final class PanicPort implements PortDevice {
  /** The port that the device has in QEMU as well. */
  public static final int PORT = 0x505;

  /** The first of the eight ports it is among. */
  public static final int BASE = 0x500;

  private static final int PANICKED = 1;

  private final Consumer<StopReason> stop;

  /** Makes the device; {@code stop} ends the machine. */
  public PanicPort(Consumer<StopReason> stop) {
    this.stop = stop;
  }

  /** Returns which events are taken. */
  @Override
  public int readPort(int offset) {
    return offset == PORT - BASE ? PANICKED : 0xFF;
  }

  @Override
  public void writePort(int offset, int value) {
    if (offset == PORT - BASE && (value & PANICKED) != 0) {
      stop.accept(
          new StopReason.Crash(
              StopReason.CrashKind.PANIC, "the guest kernel panicked", Optional.empty()));
    }
  }
}
