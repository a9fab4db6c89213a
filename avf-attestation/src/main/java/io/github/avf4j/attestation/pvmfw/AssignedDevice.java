package io.github.avf4j.attestation.pvmfw;

import io.github.avf4j.devicetree.FdtNode;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/**
 * A physical device that a guest gets, checked.
 *
 * @param path of its node in the guest's device tree
 * @param reg its memory in the guest, in the order of the physical device
 * @param interrupts three cells each, as the host wrote them
 * @param streams its streams, as the guest sees them
 */
public record AssignedDevice(
    String path, List<MemoryRange> reg, List<Integer> interrupts, List<PvStream> streams) {
  private static final int CELLS_PER_INTERRUPT = 3;

  /**
   * A stream of a pvIOMMU.
   *
   * @param pvIommuId the id of the pvIOMMU, unsigned
   * @param vsid the stream id in the guest, unsigned
   */
  public record PvStream(int pvIommuId, int vsid) {}

  /** Copies the lists. */
  public AssignedDevice {
    reg = List.copyOf(reg);
    interrupts = List.copyOf(interrupts);
    streams = List.copyOf(streams);
  }

  /** The ranges of {@code reg}, in the cells that the parent says. */
  static List<MemoryRange> reg(FdtNode node, FdtNode parent) {
    int addressCells = cellCount(parent, "#address-cells", 2);
    int sizeCells = cellCount(parent, "#size-cells", 1);
    int[] cells =
        node.cells("reg")
            .orElseThrow(() -> malformedReg(node, "must be there and have whole cells"));
    int step = addressCells + sizeCells;
    if (cells.length % step != 0) {
      throw malformedReg(node, "must have a multiple of " + step + " cells");
    }
    List<MemoryRange> ranges = new ArrayList<>(cells.length / step);
    for (int at = 0; at < cells.length; at += step) {
      ranges.add(
          new MemoryRange(
              number(cells, at, addressCells), number(cells, at + addressCells, sizeCells)));
    }
    return ranges;
  }

  private static int cellCount(FdtNode parent, String property, int absent) {
    if (!parent.has(property)) {
      return absent;
    }
    OptionalLong count = parent.u32(property);
    if (count.isEmpty() || count.getAsLong() < 1 || count.getAsLong() > 2) {
      throw malformedReg(parent, "needs 1 or 2 in \"" + property + "\"");
    }
    return (int) count.getAsLong();
  }

  private static long number(int[] cells, int at, int count) {
    long low = Integer.toUnsignedLong(cells[at + count - 1]);
    return count == 2 ? (long) cells[at] << 32 | low : low;
  }

  /** The cells of {@code interrupts}. */
  static List<Integer> interrupts(FdtNode node) {
    int[] cells = node.cells("interrupts").orElse(new int[1]);
    if (cells.length % CELLS_PER_INTERRUPT != 0) {
      throw new PvmfwException(
          PvmfwError.DEVICE_INVALID_INTERRUPTS,
          "device assignment: \"interrupts\" of node \""
              + node.name()
              + "\" must be there and have a multiple of 3 cells");
    }
    List<Integer> interrupts = new ArrayList<>(cells.length);
    for (int cell : cells) {
      interrupts.add(cell);
    }
    return interrupts;
  }

  /** The pairs of {@code iommus}, phandle and stream id; empty if there is no such property. */
  static List<int[]> iommus(FdtNode node) {
    if (!node.has("iommus")) {
      return List.of();
    }
    int[] cells = node.cells("iommus").orElse(new int[1]);
    if (cells.length % 2 != 0) {
      throw new PvmfwException(
          PvmfwError.DEVICE_MALFORMED_IOMMUS,
          "device assignment: \"iommus\" of node \"" + node.name() + "\" must be pairs of cells");
    }
    List<int[]> pairs = new ArrayList<>(cells.length / 2);
    for (int at = 0; at < cells.length; at += 2) {
      pairs.add(new int[] {cells[at], cells[at + 1]});
    }
    return pairs;
  }

  private static PvmfwException malformedReg(FdtNode node, String reason) {
    return new PvmfwException(
        PvmfwError.DEVICE_MALFORMED_REG,
        "device assignment: \"reg\" of node \"" + node.name() + "\": " + reason);
  }
}
