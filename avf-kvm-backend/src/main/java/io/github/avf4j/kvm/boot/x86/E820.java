package io.github.avf4j.kvm.boot.x86;

import java.util.ArrayList;
import java.util.List;

/**
 * An entry of the map of physical memory that the kernel gets. Thread-safe.
 *
 * @param address the first byte
 * @param size the length in bytes
 * @param type {@link #RAM} or {@link #RESERVED}
 */
record E820(long address, long size, int type) {
  static final int RAM = 1;
  static final int RESERVED = 2;

  /** Returns the map of a machine, by ascending address. */
  static List<E820> of(MachineMemory memory) {
    List<E820> map = new ArrayList<>();
    map.add(new E820(0, Layout.LOW_RESERVED, RAM));
    map.add(new E820(Layout.LOW_RESERVED, Layout.HIGH_MEMORY - Layout.LOW_RESERVED, RESERVED));
    map.add(new E820(Layout.HIGH_MEMORY, memory.lowEnd() - Layout.HIGH_MEMORY, RAM));
    if (memory.highSize() > 0) {
      map.add(new E820(Layout.HOLE_END, memory.highSize(), RAM));
    }
    return map;
  }
}
