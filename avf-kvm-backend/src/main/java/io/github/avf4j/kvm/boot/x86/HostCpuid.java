package io.github.avf4j.kvm.boot.x86;

import io.github.avf4j.kvm.ioctl.Kvm;
import io.github.avf4j.kvm.ioctl.KvmSystem;
import io.github.avf4j.linux.NativeBuffer;
import org.jspecify.annotations.Nullable;

/**
 * What this host's processor and KVM can give guests; it does not change as long as the kernel
 * runs, so it is asked once. Thread-safe.
 *
 * @param cpuid what CPUID can tell guests, not to be changed
 * @param tscDeadline whether local APICs have a TSC deadline timer
 */
record HostCpuid(NativeBuffer cpuid, boolean tscDeadline) {
  private static volatile @Nullable HostCpuid known;

  static HostCpuid get() {
    HostCpuid host = known;
    if (host == null) {
      try (KvmSystem system = KvmSystem.open()) {
        host =
            new HostCpuid(
                system.supportedCpuid(), system.extension(Kvm.KVM_CAP_TSC_DEADLINE_TIMER) != 0);
      }
      known = host;
    }
    return host;
  }
}
