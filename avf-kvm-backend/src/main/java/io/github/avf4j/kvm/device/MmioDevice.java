package io.github.avf4j.kvm.device;

/** A device with registers in memory. Thread-safe. */
public interface MmioDevice {
  /** Returns {@code length} (1 to 8) bytes at {@code offset}, little-endian in the low bytes. */
  long readMmio(int offset, int length);

  /** Takes {@code length} (1 to 8) bytes for {@code offset}, little-endian in the low bytes. */
  void writeMmio(int offset, int length, long value);
}
