package io.github.avf4j.kvm.device;

import io.github.avf4j.virtio.mmio.MmioTransport;

/** The window of a virtio-mmio transport: wide accesses are two narrow ones. Thread-safe. */
final class VirtioWindow implements MmioDevice {
  static final int SIZE = 0x1000;

  private static final int CONFIG_SPACE = 0x100;

  private final MmioTransport transport;

  VirtioWindow(MmioTransport transport) {
    this.transport = transport;
  }

  @Override
  public long readMmio(int offset, int length) {
    return switch (length) {
      case 1, 2, 4 -> Integer.toUnsignedLong(transport.read(offset, length));
      case 8 ->
          isWide(offset)
              ? Integer.toUnsignedLong(transport.read(offset, 4))
                  | (long) transport.read(offset + 4, 4) << 32
              : 0;
      default -> 0;
    };
  }

  @Override
  public void writeMmio(int offset, int length, long value) {
    if (length == 1 || length == 2 || length == 4) {
      transport.write(offset, length, (int) value);
    } else if (length == 8 && isWide(offset)) {
      transport.write(offset, 4, (int) value);
      transport.write(offset + 4, 4, (int) (value >>> 32));
    }
  }

  private static boolean isWide(int offset) {
    return offset >= CONFIG_SPACE && offset <= SIZE - 8;
  }
}
