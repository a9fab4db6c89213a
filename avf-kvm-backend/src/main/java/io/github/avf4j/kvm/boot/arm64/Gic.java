package io.github.avf4j.kvm.boot.arm64;

import io.github.avf4j.HypervisorException;
import io.github.avf4j.kvm.ioctl.KvmArm;
import io.github.avf4j.kvm.ioctl.KvmVm;
import io.github.avf4j.linux.Fd;

/** The interrupt controller, which KVM emulates. Thread-safe. */
enum Gic {
  /** Generic Interrupt Controller version 3. */
  V3 {
    @Override
    void make(KvmVm vm, int vcpus) {
      try (Fd gic = vm.createDevice(KvmArm.KVM_DEV_TYPE_ARM_VGIC_V3)) {
        place(vm, gic, KvmArm.KVM_VGIC_V3_ADDR_TYPE_DIST, Layout.GIC_DISTRIBUTOR);
        place(vm, gic, KvmArm.KVM_VGIC_V3_ADDR_TYPE_REDIST, Layout.redistributors(vcpus));
        initialize(vm, gic);
      }
    }
  },
  /** Version 2, on old processors: at most 8 vCPUs. */
  V2 {
    @Override
    void make(KvmVm vm, int vcpus) {
      try (Fd gic = vm.createDevice(KvmArm.KVM_DEV_TYPE_ARM_VGIC_V2)) {
        place(vm, gic, KvmArm.KVM_VGIC_V2_ADDR_TYPE_DIST, Layout.GIC_DISTRIBUTOR);
        place(vm, gic, KvmArm.KVM_VGIC_V2_ADDR_TYPE_CPU, Layout.GIC_V2_CPU_INTERFACE);
        initialize(vm, gic);
      }
    }
  };

  /**
   * Makes the controller and initializes it; every vCPU is there already.
   *
   * @throws HypervisorException if KVM refuses
   */
  abstract void make(KvmVm vm, int vcpus);

  /**
   * Returns the one that a VM can have.
   *
   * @throws HypervisorException if it can have none
   */
  static Gic of(KvmVm vm) {
    if (vm.hasDevice(KvmArm.KVM_DEV_TYPE_ARM_VGIC_V3)) {
      return V3;
    }
    if (vm.hasDevice(KvmArm.KVM_DEV_TYPE_ARM_VGIC_V2)) {
      return V2;
    }
    throw new HypervisorException(
        "ioctl(KVM_CREATE_DEVICE)",
        0,
        "this host's KVM has no interrupt controller for guests: use a host with GICv3 or GICv2");
  }

  /** Returns a shared peripheral interrupt's number for {@link KvmVm#setIrqLine}. */
  static int line(int sharedInterrupt) {
    return KvmArm.KVM_ARM_IRQ_TYPE_SPI << KvmArm.KVM_ARM_IRQ_TYPE_SHIFT
        | Layout.FIRST_SPI + sharedInterrupt;
  }

  private static void place(KvmVm vm, Fd gic, int what, long address) {
    vm.setDeviceAttribute(gic, KvmArm.KVM_DEV_ARM_VGIC_GRP_ADDR, what, address);
  }

  private static void initialize(KvmVm vm, Fd gic) {
    // The number of interrupts is a 32-bit value, which a little-endian 64-bit one begins with.
    vm.setDeviceAttribute(gic, KvmArm.KVM_DEV_ARM_VGIC_GRP_NR_IRQS, 0, Layout.INTERRUPTS);
    vm.setDeviceAttribute(
        gic, KvmArm.KVM_DEV_ARM_VGIC_GRP_CTRL, KvmArm.KVM_DEV_ARM_VGIC_CTRL_INIT, 0);
  }
}
