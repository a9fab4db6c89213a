package io.github.avf4j.kvm.boot.x86;

import io.github.avf4j.kvm.boot.BootState;
import io.github.avf4j.kvm.boot.Initrd;
import io.github.avf4j.kvm.ioctl.KvmVcpu;
import io.github.avf4j.kvm.ioctl.Registers;
import io.github.avf4j.kvm.ioctl.SpecialRegisters;
import io.github.avf4j.kvm.ioctl.SpecialRegisters.Segment;
import io.github.avf4j.virtio.memory.GuestMemory;
import java.util.List;

/**
 * The PVH boot protocol: 32-bit protected mode without paging, EBX points to the start information
 * (Xen, x86/HVM direct boot ABI). Thread-safe.
 *
 * @param entry the 32-bit entry point
 */
record PvhBoot(long entry) implements BootState {
  private static final int MAGIC = 0x336EC578;
  private static final int MAP_ENTRY = 24;
  private static final Segment CODE = new Segment(0x08, 0x00CF9B000000FFFFL);
  private static final Segment DATA = new Segment(0x10, 0x00CF93000000FFFFL);
  private static final Segment TASK = new Segment(0x18, 0x00008B0000000067L);

  /** Writes start information, memory map and module list. */
  static void prepare(MachineMemory machine, Initrd initrd) {
    GuestMemory m = machine.guest();
    List<E820> map = E820.of(machine);
    long at = Layout.ZERO_PAGE;
    for (E820 entry : map) {
      m.storeLong(at, entry.address());
      m.storeLong(at + 8, entry.size());
      m.storeInt(at + 16, entry.type());
      at += MAP_ENTRY;
    }
    m.storeInt(Layout.PVH_START_INFO, MAGIC);
    m.storeInt(Layout.PVH_START_INFO + 4, 1); // version
    if (initrd.size() > 0) {
      m.storeInt(Layout.PVH_START_INFO + 12, 1); // modules
      m.storeLong(Layout.PVH_START_INFO + 16, Layout.PVH_MODULES);
      m.storeLong(Layout.PVH_MODULES, initrd.address());
      m.storeLong(Layout.PVH_MODULES + 8, initrd.size());
    }
    m.storeLong(Layout.PVH_START_INFO + 24, Layout.COMMAND_LINE);
    m.storeLong(Layout.PVH_START_INFO + 32, Layout.ACPI);
    m.storeLong(Layout.PVH_START_INFO + 40, Layout.ZERO_PAGE);
    m.storeInt(Layout.PVH_START_INFO + 48, map.size());
    Gdt.write(m, CODE, DATA, TASK);
  }

  @Override
  public void apply(KvmVcpu vcpu) {
    SpecialRegisters special = vcpu.specialRegisters();
    Gdt.load(special, CODE, DATA, TASK);
    special.set(SpecialRegisters.CR0, 0x11); // PE, ET
    special.set(SpecialRegisters.CR4, 0);
    special.set(SpecialRegisters.EFER, 0);
    vcpu.setSpecialRegisters(special);
    vcpu.setRegisters(
        new Registers()
            .set(Registers.RFLAGS, Registers.RFLAGS_RESERVED)
            .set(Registers.RBX, Layout.PVH_START_INFO)
            .set(Registers.RIP, entry));
  }
}
