package io.github.avf4j.kvm.boot.x86;

/**
 * Where a PC's firmware would begin. Linux on hardware-reduced ACPI without EFI reboots by jumping
 * there in real mode, before it would try the reset register; a few instructions turn that into a
 * reset. Thread-safe.
 */
public final class ResetVector {
  static final long ADDRESS = 0xFFFF0;

  // mov al, 0xfe; out 0x64, al; cli; 1: hlt; jmp 1b
  private static final byte[] CODE = {
    (byte) 0xB0, (byte) 0xFE, (byte) 0xE6, 0x64, (byte) 0xFA, (byte) 0xF4, (byte) 0xEB, (byte) 0xFD
  };

  private ResetVector() {}

  /** Writes the instructions. */
  public static void write(MachineMemory memory) {
    memory.guest().write(ADDRESS, CODE, 0, CODE.length);
  }
}
