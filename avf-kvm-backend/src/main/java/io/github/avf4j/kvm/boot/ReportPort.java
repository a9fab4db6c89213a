package io.github.avf4j.kvm.boot;

import io.github.avf4j.kvm.device.PortDevice;
import java.util.function.IntConsumer;

/**
 * Where a guest that probes reports to. Thread-safe.
 *
 * @param port the offset of the port that it writes to; the others are not there
 * @param taker takes what it reports
 */
public record ReportPort(int port, IntConsumer taker) implements PortDevice {
  @Override
  public int readPort(int offset) {
    return 0xFF;
  }

  @Override
  public void writePort(int offset, int value) {
    if (offset == port) {
      taker.accept(value);
    }
  }
}
