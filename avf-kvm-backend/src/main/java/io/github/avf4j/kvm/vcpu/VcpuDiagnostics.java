package io.github.avf4j.kvm.vcpu;

import io.github.avf4j.StopReason;
import io.github.avf4j.StopReason.CpuState;
import io.github.avf4j.kvm.ioctl.KvmVcpu;
import io.github.avf4j.linux.Errno;
import java.util.Optional;

/** Says what a vCPU died of, as far as its processor tells. Called on the vCPU's thread. */
@FunctionalInterface
public interface VcpuDiagnostics {
  /** Returns where the vCPU is; empty if the host may not know. */
  Optional<CpuState> state(int index, KvmVcpu vcpu);

  /** Returns what to add to the story of a crash, such as why there is no state; may be empty. */
  default String remark() {
    return "";
  }

  /**
   * Returns why a machine ends whose {@code KVM_RUN} fails.
   *
   * @param errno the error number
   */
  default StopReason runFailed(int index, KvmVcpu vcpu, int errno) {
    return new StopReason.InfrastructureError(
        "ioctl(KVM_RUN) of vCPU "
            + index
            + " failed: "
            + Errno.describe(errno)
            + state(index, vcpu).map(state -> " [" + state + ']').orElse("")
            + remark());
  }
}
