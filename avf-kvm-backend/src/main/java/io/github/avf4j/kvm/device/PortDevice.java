package io.github.avf4j.kvm.device;

/** A device with byte-wide I/O ports. Thread-safe. */
public interface PortDevice {
  /** Returns what is read from the device's port {@code offset}, 0 to 255. */
  int readPort(int offset);

  /** Takes a byte, 0 to 255, written to the device's port {@code offset}. */
  void writePort(int offset, int value);
}
