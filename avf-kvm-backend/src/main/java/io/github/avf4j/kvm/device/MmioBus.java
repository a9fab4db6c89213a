package io.github.avf4j.kvm.device;

import io.github.avf4j.virtio.mmio.MmioTransport;
import java.util.ArrayList;
import java.util.List;

/**
 * Finds the device of an address: virtio-mmio windows one after another, then whatever else was
 * added. Addresses that nobody claims read as ones and swallow writes. Devices are added before the
 * machine starts; afterwards thread-safe.
 */
public final class MmioBus {
  private static final int WINDOW_SHIFT = 12;
  private static final int WINDOW_MASK = VirtioWindow.SIZE - 1;

  private record Range(long base, int size, MmioDevice device) {}

  private final long base;
  private final MmioDevice[] windows;
  private final List<Range> added = new ArrayList<>();
  private Range[] others = {};

  /** Makes a bus whose first window is at {@code base}, a multiple of 4096. */
  public MmioBus(long base, List<MmioTransport> transports) {
    this.base = base;
    this.windows = transports.stream().map(VirtioWindow::new).toArray(MmioDevice[]::new);
  }

  /**
   * Gives a device the {@code size} bytes at {@code address} and returns this.
   *
   * @throws IllegalArgumentException if somebody else has one of them
   */
  public MmioBus add(long address, int size, MmioDevice device) {
    boolean taken =
        address < base + (long) windows.length * VirtioWindow.SIZE && address + size > base;
    for (Range range : added) {
      taken |= address < range.base() + range.size() && address + size > range.base();
    }
    if (taken) {
      throw new IllegalArgumentException("address 0x" + Long.toHexString(address) + " is not free");
    }
    added.add(new Range(address, size, device));
    others = added.toArray(new Range[0]);
    return this;
  }

  /** Returns {@code length} (1 to 8) bytes at {@code address} in the low bytes. */
  public long read(long address, int length) {
    long window = address - base >> WINDOW_SHIFT;
    if (window >= 0 && window < windows.length) {
      return windows[(int) window].readMmio((int) (address - base) & WINDOW_MASK, length);
    }
    for (Range range : others) {
      long offset = address - range.base();
      if (offset >= 0 && offset <= range.size() - length) {
        return range.device().readMmio((int) offset, length);
      }
    }
    return -1;
  }

  /** Writes {@code length} (1 to 8) bytes to {@code address}. */
  public void write(long address, int length, long value) {
    long window = address - base >> WINDOW_SHIFT;
    if (window >= 0 && window < windows.length) {
      windows[(int) window].writeMmio((int) (address - base) & WINDOW_MASK, length, value);
      return;
    }
    for (Range range : others) {
      long offset = address - range.base();
      if (offset >= 0 && offset <= range.size() - length) {
        range.device().writeMmio((int) offset, length, value);
        return;
      }
    }
  }
}
