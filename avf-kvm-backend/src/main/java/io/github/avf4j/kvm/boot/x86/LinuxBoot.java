package io.github.avf4j.kvm.boot.x86;

import io.github.avf4j.kvm.boot.BootState;
import io.github.avf4j.kvm.boot.ImageFile;
import io.github.avf4j.kvm.boot.Initrd;
import io.github.avf4j.kvm.ioctl.KvmVcpu;
import io.github.avf4j.kvm.ioctl.Registers;
import io.github.avf4j.kvm.ioctl.SpecialRegisters;
import io.github.avf4j.kvm.ioctl.SpecialRegisters.Segment;
import io.github.avf4j.virtio.memory.GuestMemory;
import java.util.List;

/**
 * The 64-bit boot protocol of Linux: long mode, the first 4 GiB mapped one to one, RSI points to
 * the zero page (Documentation/arch/x86/boot.rst). Thread-safe.
 *
 * @param entry the 64-bit entry point
 */
record LinuxBoot(long entry) implements BootState {
  private static final Segment CODE = new Segment(0x08, 0x00AF9B000000FFFFL);
  private static final Segment DATA = new Segment(0x10, 0x00CF93000000FFFFL);
  private static final Segment TASK = new Segment(0x18, 0x008F8B000000FFFFL);
  private static final int PRESENT_WRITABLE = 3;
  private static final int LARGE = 0x80;

  /** The kernel_alignment of an ELF kernel: nonzero is what counts. */
  private static final int ELF_ALIGNMENT = 0x1000000;

  /** Writes the zero page of a bzImage, which begins with a copy of its setup header. */
  static void prepare(
      MachineMemory machine, Initrd initrd, int commandLineSize, ImageFile file, BzImage image) {
    int length = image.setupHeaderEnd() - BzImage.SETUP_HEADER;
    machine
        .guest()
        .write(
            Layout.ZERO_PAGE + BzImage.SETUP_HEADER,
            file.bytes().slice(BzImage.SETUP_HEADER, length));
    finish(machine, initrd, commandLineSize);
  }

  /** Writes the zero page of an ELF kernel. */
  static void prepare(MachineMemory machine, Initrd initrd, int commandLineSize) {
    GuestMemory m = machine.guest();
    m.storeShort(Layout.ZERO_PAGE + 0x1FE, (short) 0xAA55);
    m.storeInt(Layout.ZERO_PAGE + 0x202, 0x53726448);
    m.storeInt(Layout.ZERO_PAGE + 0x230, ELF_ALIGNMENT);
    finish(machine, initrd, commandLineSize);
  }

  private static void finish(MachineMemory machine, Initrd initrd, int commandLineSize) {
    GuestMemory m = machine.guest();
    m.storeLong(Layout.ZERO_PAGE + 0x070, Layout.ACPI);
    m.storeByte(Layout.ZERO_PAGE + 0x210, (byte) 0xFF); // type_of_loader: not assigned
    m.storeInt(Layout.ZERO_PAGE + 0x218, (int) initrd.address());
    m.storeInt(Layout.ZERO_PAGE + 0x21C, (int) initrd.size());
    m.storeInt(Layout.ZERO_PAGE + 0x228, (int) Layout.COMMAND_LINE);
    m.storeInt(Layout.ZERO_PAGE + 0x238, commandLineSize);
    List<E820> map = E820.of(machine);
    m.storeByte(Layout.ZERO_PAGE + 0x1E8, (byte) map.size());
    long at = Layout.ZERO_PAGE + 0x2D0;
    for (E820 entry : map) {
      m.storeLong(at, entry.address());
      m.storeLong(at + 8, entry.size());
      m.storeInt(at + 16, entry.type());
      at += 20;
    }
    prepareLongMode(machine.guest());
  }

  /** Writes page tables and descriptor table for {@link #apply}. */
  static void prepareLongMode(GuestMemory m) {
    m.storeLong(Layout.PML4, Layout.PDPT | PRESENT_WRITABLE);
    for (int gibibyte = 0; gibibyte < 4; gibibyte++) {
      long directory = Layout.PAGE_DIRECTORIES + gibibyte * 0x1000L;
      m.storeLong(Layout.PDPT + gibibyte * 8L, directory | PRESENT_WRITABLE);
      for (int i = 0; i < 512; i++) {
        long page = (gibibyte * 512L + i) << 21;
        m.storeLong(directory + i * 8L, page | LARGE | PRESENT_WRITABLE);
      }
    }
    Gdt.write(m, CODE, DATA, TASK);
  }

  @Override
  public void apply(KvmVcpu vcpu) {
    SpecialRegisters special = vcpu.specialRegisters();
    Gdt.load(special, CODE, DATA, TASK);
    special.set(SpecialRegisters.CR3, Layout.PML4);
    special.set(SpecialRegisters.CR4, special.get(SpecialRegisters.CR4) | 0x20); // PAE
    special.set(SpecialRegisters.CR0, special.get(SpecialRegisters.CR0) | 0x80000001L); // PG, PE
    special.set(SpecialRegisters.EFER, 0x500); // LME, LMA
    vcpu.setSpecialRegisters(special);
    vcpu.setRegisters(
        new Registers()
            .set(Registers.RFLAGS, Registers.RFLAGS_RESERVED)
            .set(Registers.RSI, Layout.ZERO_PAGE)
            .set(Registers.RSP, Layout.STACK)
            .set(Registers.RBP, Layout.STACK)
            .set(Registers.RIP, entry));
  }
}
