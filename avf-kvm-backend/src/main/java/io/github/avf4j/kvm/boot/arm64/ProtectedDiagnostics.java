package io.github.avf4j.kvm.boot.arm64;

import io.github.avf4j.StopReason;
import io.github.avf4j.StopReason.CpuState;
import io.github.avf4j.kvm.ioctl.KvmVcpu;
import io.github.avf4j.kvm.vcpu.VcpuDiagnostics;
import io.github.avf4j.linux.Errno;
import io.github.avf4j.linux.MemoryLimit;
import java.util.Optional;

/**
 * Why a protected machine died: its registers are not the host's to read. Thread-safe.
 *
 * @param memory how much memory the machine pins, in bytes
 */
record ProtectedDiagnostics(long memory) implements VcpuDiagnostics {
  @Override
  public Optional<CpuState> state(int index, KvmVcpu vcpu) {
    return Optional.empty();
  }

  @Override
  public String remark() {
    return " (where, the host cannot see: the registers of a protected machine are its own)";
  }

  @Override
  public StopReason runFailed(int index, KvmVcpu vcpu, int errno) {
    String cause =
        switch (errno) {
          case Errno.ENOMEM, Errno.EPERM -> memoryAdvice();
          case Errno.EFAULT ->
              "the host took a page of the machine's memory back, which ends it: look for a"
                  + " program that reads this process's memory, such as a debugger";
          default -> "look into the host's kernel log";
        };
    return new StopReason.InfrastructureError(
        "ioctl(KVM_RUN) of vCPU " + index + " failed: " + Errno.describe(errno) + ": " + cause);
  }

  private String memoryAdvice() {
    long limit = MemoryLimit.bytes();
    return "a protected machine's memory is locked into RAM, and this process may lock "
        + (limit == Long.MAX_VALUE ? "any amount" : (limit >> 10) + " KiB")
        + ": raise the limit of locked memory to "
        + (memory >> 10)
        + " KiB for this machine and as much for each other one (ulimit -l, or LimitMEMLOCK= of a"
        + " systemd unit), or free some memory";
  }
}
