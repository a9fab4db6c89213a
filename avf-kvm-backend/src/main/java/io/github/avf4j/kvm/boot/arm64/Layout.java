package io.github.avf4j.kvm.boot.arm64;

import io.github.avf4j.kvm.boot.VirtioSlots;

/** Where things are in guest-physical memory: crosvm's map, which AVF's firmware expects. */
final class Layout {
  /** The console. */
  static final long SERIAL = 0x3F8;

  /** Where firmware writes why it resets. */
  static final long FAILURE_SERIAL = 0x2F8;

  static final long RTC = 0x2000;
  static final long VIRTIO = 0x0400_0000;

  static final long GIC_DISTRIBUTOR = 0x3FFF_0000L;
  static final int GIC_V3_DISTRIBUTOR_SIZE = 0x1_0000;
  static final int GIC_V3_REDISTRIBUTOR_SIZE = 0x2_0000;
  static final int GIC_V2_DISTRIBUTOR_SIZE = 0x1000;
  static final long GIC_V2_CPU_INTERFACE = GIC_DISTRIBUTOR - 0x2_0000;
  static final int GIC_V2_CPU_INTERFACE_SIZE = 0x2000;

  /** The firmware's window: the binary with its configuration data, then its scratch memory. */
  static final long FIRMWARE = 0x7FC0_0000L;

  static final long FIRMWARE_WINDOW_SIZE = 0x40_0000;

  /** The most that binary and configuration data may have together. */
  static final int FIRMWARE_MAX = 0x20_0000;

  static final long RAM = 0x8000_0000L;

  /** The most that a device tree may have, and its alignment. */
  static final int FDT_MAX = 0x20_0000;

  /** Where firmware finds the device tree. */
  static final long FIRMWARE_FDT = RAM;

  /** Where firmware finds the kernel's file. */
  static final long FIRMWARE_PAYLOAD = RAM + FDT_MAX;

  static final long INITRD_ALIGNMENT = 16 << 20;

  // Shared peripheral interrupts by their numbers in device trees.
  static final int SERIAL_SPI = 0;
  static final int RTC_SPI = 1;
  static final int FAILURE_SERIAL_SPI = 2;
  static final int FIRST_VIRTIO_SPI = 4;

  /** The interrupt id of the first shared peripheral interrupt. */
  static final int FIRST_SPI = 32;

  /** How many interrupt ids there are: a multiple of 32, above that of the last device. */
  static final int INTERRUPTS = 64;

  private Layout() {}

  /** Returns the address of virtio-mmio window {@code index}. */
  static long virtioWindow(int index) {
    return VIRTIO + (long) index * VirtioSlots.WINDOW;
  }

  /** Returns the first address of the redistributors of {@code vcpus} vCPUs. */
  static long redistributors(int vcpus) {
    return GIC_DISTRIBUTOR - (long) vcpus * GIC_V3_REDISTRIBUTOR_SIZE;
  }
}
