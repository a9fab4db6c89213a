package io.github.avf4j.kvm.boot.x86;

import io.github.avf4j.kvm.boot.VirtioSlots;

/** Where things are in guest-physical memory. Thread-safe. */
public final class Layout {
  static final long GDT = 0x500;
  static final long IDT = 0x520;
  static final long PVH_START_INFO = 0x6000;
  static final long PVH_MODULES = 0x6040;

  /** The zero page of the 64-bit protocol, or the memory map of PVH. */
  static final long ZERO_PAGE = 0x7000;

  static final long STACK = 0x8FF0;
  static final long PML4 = 0x9000;
  static final long PDPT = 0xA000;

  /** Four page directories that map the first 4 GiB one to one. */
  static final long PAGE_DIRECTORIES = 0xB000;

  static final long COMMAND_LINE = 0x20000;

  /** The end of the low memory that is usable as RAM. */
  static final long LOW_RESERVED = 0x9FC00;

  static final long ACPI = 0xE0000;
  static final long ACPI_END = ResetVector.ADDRESS;

  /** Where kernels may begin. */
  static final long HIGH_MEMORY = 0x100000;

  /** The end of RAM below 4 GiB at most, and the first virtio-mmio window. */
  public static final long HOLE = 0xC0000000L;

  /** Where RAM goes on. */
  public static final long HOLE_END = 1L << 32;

  static final long IOAPIC = 0xFEC00000L;
  static final long LAPIC = 0xFEE00000L;

  /** A page for KVM's own use on Intel, followed by three for the TSS. */
  static final long IDENTITY_MAP = 0xFFFBC000L;

  static final long TSS = 0xFFFBD000L;

  /** The interrupt line of the first serial port. */
  public static final int COM1_GSI = 4;

  /** The first interrupt line of virtio-mmio devices. */
  public static final int FIRST_MMIO_GSI = 5;

  private Layout() {}

  /** Returns the address of virtio-mmio window {@code index}. */
  public static long mmioWindow(int index) {
    return HOLE + (long) index * VirtioSlots.WINDOW;
  }
}
