package io.github.avf4j.kvm.boot.arm64;

import io.github.avf4j.kvm.boot.BootState;
import io.github.avf4j.kvm.ioctl.ArmRegister;
import io.github.avf4j.kvm.ioctl.KvmVcpu;

/**
 * The first vCPU at its first instruction: exceptions masked, EL1 with its own stack pointer, MMU
 * and caches off. Thread-safe.
 *
 * @param entry the address of the first instruction; 0 leaves it to the hypervisor
 * @param deviceTree X0
 * @param payload X1: where firmware finds the kernel's file, 0 without firmware
 * @param payloadSize X2: its length
 */
record Arm64Boot(long entry, long deviceTree, long payload, long payloadSize) implements BootState {
  /** D, A, I and F masked, EL1h. */
  private static final long PSTATE = 0x3C5;

  @Override
  public void apply(KvmVcpu vcpu) {
    vcpu.setOneRegister(ArmRegister.PSTATE, PSTATE);
    vcpu.setOneRegister(ArmRegister.x(0), deviceTree);
    vcpu.setOneRegister(ArmRegister.x(1), payload);
    vcpu.setOneRegister(ArmRegister.x(2), payloadSize);
    vcpu.setOneRegister(ArmRegister.x(3), 0);
    if (entry != 0) {
      vcpu.setOneRegister(ArmRegister.PC, entry);
    }
  }
}
