package io.github.avf4j.kvm.device;

import io.github.avf4j.virtio.mmio.MmioTransport;
import java.util.List;

/**
 * Finds the virtio-mmio transport of an address: windows of 4096 bytes one after another. Addresses
 * that nobody claims read as ones and swallow writes. Thread-safe.
 */
public final class MmioBus {
  private static final int WINDOW_SHIFT = 12;
  private static final int WINDOW_MASK = (1 << WINDOW_SHIFT) - 1;
  private static final int CONFIG_SPACE = 0x100;

  private final long base;
  private final MmioTransport[] transports;

  /** Makes a bus whose first window is at {@code base}. */
  public MmioBus(long base, List<MmioTransport> transports) {
    this.base = base;
    this.transports = transports.toArray(new MmioTransport[0]);
  }

  /** Returns {@code length} (1 to 8) bytes at {@code address} in the low bytes. */
  public long read(long address, int length) {
    long window = address - base >> WINDOW_SHIFT;
    if (window < 0 || window >= transports.length) {
      return -1;
    }
    MmioTransport transport = transports[(int) window];
    int offset = (int) (address - base) & WINDOW_MASK;
    return switch (length) {
      case 1, 2, 4 -> Integer.toUnsignedLong(transport.read(offset, length));
      case 8 -> {
        if (offset < CONFIG_SPACE || offset > WINDOW_MASK - 7) {
          yield 0;
        }
        yield Integer.toUnsignedLong(transport.read(offset, 4))
            | (long) transport.read(offset + 4, 4) << 32;
      }
      default -> 0;
    };
  }

  /** Writes {@code length} (1 to 8) bytes to {@code address}. */
  public void write(long address, int length, long value) {
    long window = address - base >> WINDOW_SHIFT;
    if (window < 0 || window >= transports.length) {
      return;
    }
    MmioTransport transport = transports[(int) window];
    int offset = (int) (address - base) & WINDOW_MASK;
    if (length == 1 || length == 2 || length == 4) {
      transport.write(offset, length, (int) value);
    } else if (length == 8 && offset >= CONFIG_SPACE && offset <= WINDOW_MASK - 7) {
      transport.write(offset, 4, (int) value);
      transport.write(offset + 4, 4, (int) (value >>> 32));
    }
  }
}
