package io.github.avf4j.kvm.boot.arm64;

import io.github.avf4j.HypervisorException;
import io.github.avf4j.kvm.boot.Board;
import io.github.avf4j.kvm.boot.VirtioSlots;
import io.github.avf4j.kvm.ioctl.KvmArm;
import io.github.avf4j.kvm.ioctl.KvmSystem;
import io.github.avf4j.kvm.ioctl.KvmVcpu;
import io.github.avf4j.kvm.ioctl.KvmVm;
import io.github.avf4j.kvm.vcpu.VcpuDiagnostics;

/** What all boards of arm64 have: VMs, vCPUs and the interrupt controller. */
abstract class Arm64Base implements Board {
  private static final int BASIC = 1 << KvmArm.KVM_ARM_VCPU_PSCI_0_2;
  private static final int POWER_OFF = 1 << KvmArm.KVM_ARM_VCPU_POWER_OFF;
  private static final int POINTER_AUTHENTICATION =
      1 << KvmArm.KVM_ARM_VCPU_PTRAUTH_ADDRESS | 1 << KvmArm.KVM_ARM_VCPU_PTRAUTH_GENERIC;

  private final Protection protection;
  private final int vcpus;
  private int target;
  private int features;

  Arm64Base(Protection protection, int vcpus) {
    this.protection = protection;
    this.vcpus = vcpus;
  }

  /** Returns how the first vCPU begins. */
  abstract Arm64Boot boot();

  /** Gives the VM its memory. */
  abstract void attachMemory(KvmVm vm);

  final Protection protection() {
    return protection;
  }

  final Gic gic() {
    return protection.isHardware() ? Gic.V3 : Arm64Host.get().gic();
  }

  @Override
  public final VirtioSlots virtio() {
    return new VirtioSlots(Layout.VIRTIO, Layout.FIRST_VIRTIO_SPI, protection.sharesPages());
  }

  @Override
  public final KvmVm createVm(KvmSystem system) {
    return Arm64Platform.createVm(system, protection.isHardware());
  }

  @Override
  public final void prepare(KvmVm vm) {
    tellUndecodedAccesses(vm);
    attachMemory(vm);
    target = vm.preferredTarget();
    boolean authentication =
        vm.extension(KvmArm.KVM_CAP_ARM_PTRAUTH_ADDRESS) != 0
            && vm.extension(KvmArm.KVM_CAP_ARM_PTRAUTH_GENERIC) != 0;
    features = authentication ? BASIC | POINTER_AUTHENTICATION : BASIC;
  }

  /** Where KVM has it not, such an access fails KVM_RUN instead. */
  private static void tellUndecodedAccesses(KvmVm vm) {
    if (vm.extension(KvmArm.KVM_CAP_ARM_NISV_TO_USER) != 0) {
      try {
        vm.enableCapability(KvmArm.KVM_CAP_ARM_NISV_TO_USER, 0, 0);
      } catch (HypervisorException e) {
        // the hypervisor of protected machines refuses it
      }
    }
  }

  /** All but the first wait until the guest switches them on through PSCI. */
  @Override
  public final void prepare(KvmVm vm, KvmVcpu vcpu, int index) {
    vcpu.initialize(target, index == 0 ? features : features | POWER_OFF);
  }

  @Override
  public final void complete(KvmVm vm, KvmVcpu first) {
    gic().make(vm, vcpus);
    boot().apply(first);
  }

  @Override
  public VcpuDiagnostics diagnostics() {
    return new OrdinaryDiagnostics();
  }
}
