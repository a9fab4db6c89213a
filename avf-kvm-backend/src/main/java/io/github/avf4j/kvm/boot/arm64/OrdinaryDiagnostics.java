package io.github.avf4j.kvm.boot.arm64;

import io.github.avf4j.HypervisorException;
import io.github.avf4j.StopReason.CpuKind;
import io.github.avf4j.StopReason.CpuState;
import io.github.avf4j.kvm.ioctl.ArmRegister;
import io.github.avf4j.kvm.ioctl.KvmVcpu;
import io.github.avf4j.kvm.vcpu.VcpuDiagnostics;
import java.util.Optional;

/** Where a vCPU of an ordinary machine died: its program counter. Thread-safe. */
final class OrdinaryDiagnostics implements VcpuDiagnostics {
  @Override
  public Optional<CpuState> state(int index, KvmVcpu vcpu) {
    try {
      long pc = vcpu.oneRegister(ArmRegister.PC);
      // The address is virtual, and KVM does not translate it here: there are no bytes.
      return Optional.of(new CpuState(index, CpuKind.ARM64, pc, new byte[0]));
    } catch (HypervisorException e) {
      return Optional.empty(); // the vCPU is too broken to say more
    }
  }
}
