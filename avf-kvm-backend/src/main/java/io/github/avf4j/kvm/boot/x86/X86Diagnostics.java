package io.github.avf4j.kvm.boot.x86;

import io.github.avf4j.HypervisorException;
import io.github.avf4j.StopReason.CpuKind;
import io.github.avf4j.StopReason.CpuState;
import io.github.avf4j.kvm.ioctl.KvmVcpu;
import io.github.avf4j.kvm.ioctl.Registers;
import io.github.avf4j.kvm.ioctl.SpecialRegisters;
import io.github.avf4j.kvm.vcpu.VcpuDiagnostics;
import io.github.avf4j.virtio.memory.GuestMemory;
import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Where a vCPU died and on which instruction: RIP and up to 16 bytes there. Called on the vCPU's
 * thread.
 *
 * @param memory the machine's RAM
 */
public record X86Diagnostics(GuestMemory memory) implements VcpuDiagnostics {
  private static final int LONGEST_INSTRUCTION = 16;
  private static final int PAGE_MASK = 0xFFF;

  /** Returns what can be read; the rest is left out. */
  @Override
  public Optional<CpuState> state(int index, KvmVcpu vcpu) {
    long rip = 0;
    byte[] bytes = new byte[LONGEST_INSTRUCTION];
    int n = 0;
    try {
      rip = vcpu.registers().get(Registers.RIP);
      long linear = rip + vcpu.specialRegisters().get(SpecialRegisters.CS);
      while (n < bytes.length) {
        OptionalLong physical = vcpu.translate(linear + n);
        if (physical.isEmpty()) {
          break;
        }
        int inPage = PAGE_MASK + 1 - (int) (physical.getAsLong() & PAGE_MASK);
        int length = Math.min(inPage, bytes.length - n);
        if (!memory.contains(physical.getAsLong(), length)) {
          break;
        }
        memory.read(physical.getAsLong(), bytes, n, length);
        n += length;
      }
    } catch (HypervisorException e) {
      // the vCPU is too broken to say more
    }
    return Optional.of(new CpuState(index, CpuKind.X86_64, rip, Arrays.copyOf(bytes, n)));
  }
}
