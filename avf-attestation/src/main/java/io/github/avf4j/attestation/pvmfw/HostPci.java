package io.github.avf4j.attestation.pvmfw;

import io.github.avf4j.devicetree.DeviceTree;
import io.github.avf4j.devicetree.FdtNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The PCI host bridge that the host gives.
 *
 * @param windows the two memory windows, in which bus and CPU addresses are equal
 * @param windowFlags the first cell of each window
 * @param interrupts how many devices have an interrupt, at most 16
 */
public record HostPci(List<MemoryRange> windows, List<Integer> windowFlags, int interrupts) {
  static final int FIRST_IRQ = 4;
  private static final int MAX_INTERRUPTS = 16;
  private static final int WINDOW = 7;
  private static final int ROW = 10;
  private static final int SPACE_MASK = 0x3000000;
  private static final int MEMORY_64 = 0x3000000;

  /** Copies the lists. */
  public HostPci {
    windows = List.copyOf(windows);
    windowFlags = List.copyOf(windowFlags);
  }

  static HostPci parse(DeviceTree host, MemoryRange ram) {
    List<FdtNode> nodes = host.compatible("pci-host-cam-generic");
    HostRules.require(!nodes.isEmpty(), "there is no PCI host bridge");
    FdtNode node = nodes.get(0);
    int[] ranges = HostRules.cells(node, "ranges");
    HostRules.require(ranges.length >= 2 * WINDOW, "PCI needs two windows");
    List<MemoryRange> windows = new ArrayList<>();
    List<Integer> flags = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      windows.add(window(ranges, i * WINDOW, ram));
      flags.add(ranges[i * WINDOW]);
    }
    return new HostPci(windows, flags, interrupts(node));
  }

  private static MemoryRange window(int[] cells, int at, MemoryRange ram) {
    HostRules.require((cells[at] & SPACE_MASK) == MEMORY_64, "a PCI window is not 64-bit memory");
    long bus = HostRules.pair(cells, at + 1);
    long cpu = HostRules.pair(cells, at + 3);
    long size = HostRules.pair(cells, at + 5);
    HostRules.require(bus == cpu, "a PCI window has different addresses for bus and CPU");
    HostRules.require(
        cpu >= 0 && size >= 0 && cpu <= HostRules.HIGHEST && size <= HostRules.HIGHEST - cpu,
        "a PCI window is beyond 1 TiB");
    MemoryRange window = new MemoryRange(cpu, size);
    HostRules.require(!window.overlaps(ram), "a PCI window overlaps RAM");
    return window;
  }

  private static int interrupts(FdtNode node) {
    int[] masks = HostRules.cells(node, "interrupt-map-mask");
    HostRules.require(masks.length >= 4 && masks.length % 4 == 0, "the PCI mask is cut off");
    for (int i = 0; i < masks.length; i += 4) {
      HostRules.require(
          Arrays.equals(Arrays.copyOfRange(masks, i, i + 4), new int[] {0xf800, 0, 0, 7}),
          "the PCI interrupt mask is not (0xf800, 0, 0, 7)");
    }
    int[] map = HostRules.cells(node, "interrupt-map");
    HostRules.require(map.length % ROW == 0, "the PCI interrupt map is cut off");
    int rows = map.length / ROW;
    HostRules.require(rows <= MAX_INTERRUPTS, "the PCI interrupt map has more than 16 rows");
    for (int i = 0; i < rows; i++) {
      int[] row = Arrays.copyOfRange(map, i * ROW, (i + 1) * ROW);
      row[4] = 0;
      HostRules.require(
          Arrays.equals(row, row(i, 0)),
          "row " + i + " of the PCI interrupt map is not what it must be");
    }
    return rows;
  }

  /** A row of the interrupt map: device, pin, controller, its address, SPI, number, level high. */
  static int[] row(int index, int controller) {
    return new int[] {(index + 1) << 11, 0, 0, 1, controller, 0, 0, 0, FIRST_IRQ + index, 4};
  }
}
