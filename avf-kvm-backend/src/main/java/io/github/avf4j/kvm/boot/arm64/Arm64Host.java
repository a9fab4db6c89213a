package io.github.avf4j.kvm.boot.arm64;

import io.github.avf4j.kvm.ioctl.KvmArm;
import io.github.avf4j.kvm.ioctl.KvmSystem;
import io.github.avf4j.kvm.ioctl.KvmVm;
import org.jspecify.annotations.Nullable;

/**
 * What this host's KVM gives guests; it does not change as long as the kernel runs, so it is asked
 * once. Thread-safe.
 *
 * @param addressBits how wide guest-physical addresses can be, 0 for the default of 40 bits
 * @param gic the interrupt controller of machines that are not protected
 */
record Arm64Host(int addressBits, Gic gic) {
  /** Bit 31 of the type: the memory of the VM is not the host's. */
  private static final long PROTECTED = 0x8000_0000L;

  private static volatile @Nullable Arm64Host known;

  /**
   * Asks unless it is known already.
   *
   * @throws io.github.avf4j.VirtualMachineException if KVM cannot be used
   */
  static Arm64Host get() {
    Arm64Host host = known;
    if (host == null) {
      try (KvmSystem system = KvmSystem.open()) {
        host = ask(system);
      }
      known = host;
    }
    return host;
  }

  private static Arm64Host ask(KvmSystem system) {
    int bits = system.extension(KvmArm.KVM_CAP_ARM_VM_IPA_SIZE);
    try (KvmVm vm = system.createVm(bits)) {
      return new Arm64Host(bits, Gic.of(vm));
    }
  }

  /** Returns the type of VMs for {@link KvmSystem#createVm(long)}. */
  long vmType(boolean isProtected) {
    return isProtected ? PROTECTED | addressBits : addressBits;
  }
}
