package io.github.avf4j.kvm.boot.x86;

import io.github.avf4j.kvm.ioctl.SpecialRegisters;
import io.github.avf4j.kvm.ioctl.SpecialRegisters.Segment;
import io.github.avf4j.virtio.memory.GuestMemory;

/** The global descriptor table that kernels start with: null, code, data, task. Thread-safe. */
final class Gdt {
  private static final int LIMIT = 4 * 8 - 1;

  private Gdt() {}

  static void write(GuestMemory memory, Segment code, Segment data, Segment task) {
    for (Segment segment : new Segment[] {code, data, task}) {
      memory.storeLong(Layout.GDT + segment.selector(), segment.descriptor());
    }
  }

  static void load(SpecialRegisters registers, Segment code, Segment data, Segment task) {
    registers.setSegment(SpecialRegisters.CS, code);
    registers.setSegment(SpecialRegisters.DS, data);
    registers.setSegment(SpecialRegisters.ES, data);
    registers.setSegment(SpecialRegisters.FS, data);
    registers.setSegment(SpecialRegisters.GS, data);
    registers.setSegment(SpecialRegisters.SS, data);
    registers.setSegment(SpecialRegisters.TR, task);
    registers.setTable(SpecialRegisters.GDT, Layout.GDT, LIMIT);
    registers.setTable(SpecialRegisters.IDT, Layout.IDT, 7);
  }
}
