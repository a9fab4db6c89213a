package io.github.avf4j.kvm.device;

/**
 * A device of byte-wide ports as registers in memory, one byte each: an access of more bytes is
 * several. Thread-safe.
 *
 * @param device the device
 */
public record ByteRegisters(PortDevice device) implements MmioDevice {
  @Override
  public long readMmio(int offset, int length) {
    long value = 0;
    for (int i = 0; i < length; i++) {
      value |= (long) (device.readPort(offset + i) & 0xFF) << 8 * i;
    }
    return value;
  }

  @Override
  public void writeMmio(int offset, int length, long value) {
    for (int i = 0; i < length; i++) {
      device.writePort(offset + i, (int) (value >>> 8 * i) & 0xFF);
    }
  }
}
