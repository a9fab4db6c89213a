package io.github.avf4j.kvm.boot.arm64;

import io.github.avf4j.ProtectionLevel;
import io.github.avf4j.spi.MachineSpec;

/** What runs first in a machine. */
enum Start {
  /** The kernel. */
  KERNEL,
  /** Firmware that the caller gives. */
  FIRMWARE,
  /** Firmware that the hypervisor has and puts into memory itself. */
  HYPERVISOR_FIRMWARE;

  /** Returns what runs first in a machine on this host. */
  static Start of(MachineSpec spec) {
    if (spec.firmware().isPresent()) {
      return FIRMWARE;
    }
    return spec.protection() == ProtectionLevel.HARDWARE && HypervisorFirmware.isPresent()
        ? HYPERVISOR_FIRMWARE
        : KERNEL;
  }
}
