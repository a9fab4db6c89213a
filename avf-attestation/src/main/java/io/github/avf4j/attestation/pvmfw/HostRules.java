package io.github.avf4j.attestation.pvmfw;

import io.github.avf4j.devicetree.FdtNode;

/** How a rule about the host's device tree is broken. */
final class HostRules {
  /** Where RAM begins. */
  static final long RAM_BASE = 0x8000_0000L;

  /** No address is at or above it. */
  static final long HIGHEST = 1L << 40;

  private HostRules() {}

  static void require(boolean holds, String reason) {
    if (!holds) {
      throw fault(reason);
    }
  }

  static PvmfwException fault(String reason) {
    return new PvmfwException(PvmfwError.INVALID_FDT, "device tree: " + reason);
  }

  static int[] cells(FdtNode node, String property) {
    return node.cells(property)
        .orElseThrow(
            () -> fault("node \"" + node.name() + "\" needs cells in \"" + property + "\""));
  }

  static long pair(int[] cells, int at) {
    require(at + 2 <= cells.length, "cells are missing");
    return (long) cells[at] << 32 | Integer.toUnsignedLong(cells[at + 1]);
  }

  static int u32(FdtNode node, String property) {
    return (int)
        node.u32(property)
            .orElseThrow(
                () -> fault("node \"" + node.name() + "\" needs one cell in \"" + property + "\""));
  }
}
