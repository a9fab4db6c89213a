package io.github.avf4j.kvm.device;

import java.util.ArrayList;
import java.util.List;

/**
 * Finds the device of an I/O port. Ports that nobody claims read as ones and swallow writes.
 * Devices are added before the machine starts; afterwards thread-safe.
 */
public final class PortBus {
  private static final int GRANULE_SHIFT = 3;
  private static final int GRANULE = 1 << GRANULE_SHIFT;

  // The number of the device that has eight ports, 0 for none.
  private final byte[] owners = new byte[0x10000 >> GRANULE_SHIFT];
  private final List<PortDevice> added = new ArrayList<>();
  private PortDevice[] devices = {};

  /** Gives a device the eight ports from {@code base}, a multiple of 8. */
  public void add(int base, PortDevice device) {
    if (base % GRANULE != 0 || owners[base >> GRANULE_SHIFT] != 0) {
      throw new IllegalArgumentException("port 0x" + Integer.toHexString(base) + " is not free");
    }
    added.add(device);
    devices = added.toArray(new PortDevice[0]);
    owners[base >> GRANULE_SHIFT] = (byte) added.size();
  }

  /** Returns {@code size} (1, 2, 4) bytes from {@code port} on, little-endian. */
  public int read(int port, int size) {
    int value = 0;
    for (int i = 0; i < size; i++) {
      value |= readByte(port + i & 0xFFFF) << 8 * i;
    }
    return value;
  }

  /** Writes {@code size} (1, 2, 4) bytes from {@code port} on, little-endian. */
  public void write(int port, int size, int value) {
    for (int i = 0; i < size; i++) {
      int at = port + i & 0xFFFF;
      int owner = owners[at >> GRANULE_SHIFT];
      if (owner != 0) {
        devices[owner - 1].writePort(at & GRANULE - 1, value >> 8 * i & 0xFF);
      }
    }
  }

  private int readByte(int port) {
    int owner = owners[port >> GRANULE_SHIFT];
    return owner == 0 ? 0xFF : devices[owner - 1].readPort(port & GRANULE - 1) & 0xFF;
  }
}
