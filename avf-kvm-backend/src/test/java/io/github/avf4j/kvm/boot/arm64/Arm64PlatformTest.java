package io.github.avf4j.kvm.boot.arm64;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.avf4j.HostReport;
import io.github.avf4j.StopReason;
import io.github.avf4j.linux.Errno;
import io.github.avf4j.linux.MemoryLimit;
import org.junit.jupiter.api.Test;

class Arm64PlatformTest {
  @Test
  void saysHowToSwitchTheProtectedModeOn() {
    HostReport.Protection refusal = Arm64Platform.refusal(Errno.EINVAL, false);
    assertThat(refusal.available()).isFalse();
    assertThat(refusal.reason())
        .isEqualTo(
            "KVM refuses to make a protected VM (EINVAL (22)): its hypervisor does not run in"
                + " protected mode");
    assertThat(refusal.advice())
        .startsWith("start the host with the kernel parameter kvm-arm.mode=protected");
  }

  @Test
  void saysThatTheKernelIsTooOldWhereTheModeWasAskedFor() {
    HostReport.Protection refusal = Arm64Platform.refusal(Errno.EINVAL, true);
    assertThat(refusal.available()).isFalse();
    assertThat(refusal.advice()).startsWith("use a kernel whose pKVM has protected guests");
  }

  @Test
  void saysWhichLimitToRaiseWhenMemoryCannotBeLocked() {
    ProtectedDiagnostics diagnostics = new ProtectedDiagnostics(64 << 20);
    long limit = MemoryLimit.bytes();
    for (int errno : new int[] {Errno.ENOMEM, Errno.EPERM}) {
      String end =
          "this process may lock "
              + (limit == Long.MAX_VALUE ? "any amount" : (limit >> 10) + " KiB")
              + ": raise the limit of locked memory to 65536 KiB for this machine";
      assertThat(runFailed(diagnostics, errno))
          .startsWith("INFRASTRUCTURE_ERROR ioctl(KVM_RUN) of vCPU 1 failed: E")
          .contains(end);
    }
  }

  @Test
  void saysWhatEndsAMachineWhosePageWasTaken() {
    assertThat(runFailed(new ProtectedDiagnostics(1), Errno.EFAULT))
        .contains("EFAULT (14): the host took a page of the machine's memory back");
    assertThat(runFailed(new ProtectedDiagnostics(1), Errno.EIO)).contains("host's kernel log");
  }

  private static String runFailed(ProtectedDiagnostics diagnostics, int errno) {
    // A vCPU of a protected machine tells nothing, so none is needed.
    StopReason reason = diagnostics.runFailed(1, null, errno);
    return reason.toString();
  }
}
