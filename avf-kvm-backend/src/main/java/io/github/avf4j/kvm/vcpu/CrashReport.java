package io.github.avf4j.kvm.vcpu;

import io.github.avf4j.HypervisorException;
import io.github.avf4j.StopReason.CpuState;
import io.github.avf4j.kvm.ioctl.KvmVcpu;
import io.github.avf4j.kvm.ioctl.Registers;
import io.github.avf4j.kvm.ioctl.SpecialRegisters;
import io.github.avf4j.virtio.memory.GuestMemory;
import java.util.Arrays;
import java.util.OptionalLong;

/** Where a vCPU died and on which instruction. Confined to the vCPU thread. */
public final class CrashReport {
  private static final int LONGEST_INSTRUCTION = 16;
  private static final int PAGE_MASK = 0xFFF;

  private CrashReport() {}

  /** Reads RIP and up to 16 bytes there; what cannot be read is left out. */
  public static CpuState of(int index, KvmVcpu vcpu, GuestMemory memory) {
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
    return new CpuState(index, rip, Arrays.copyOf(bytes, n));
  }
}
