package io.github.avf4j.kvm;

import io.github.avf4j.BackendUnavailableException;
import io.github.avf4j.kvm.ioctl.Kvm;
import io.github.avf4j.kvm.ioctl.KvmSystem;
import io.github.avf4j.linux.NativeBuffer;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What does not change as long as the kernel runs: asked once. Thread-safe.
 *
 * @param vcpuMmapSize the size of a vCPU's run structure with what follows it
 * @param cpuid what CPUID can tell guests, not to be changed
 * @param tscDeadline whether local APICs have a TSC deadline timer
 */
record KvmHost(int vcpuMmapSize, NativeBuffer cpuid, boolean tscDeadline) {
  private static final Map<String, Integer> REQUIRED = new LinkedHashMap<>();

  static {
    REQUIRED.put("KVM_CAP_IRQCHIP", Kvm.KVM_CAP_IRQCHIP);
    REQUIRED.put("KVM_CAP_USER_MEMORY", Kvm.KVM_CAP_USER_MEMORY);
    REQUIRED.put("KVM_CAP_SET_TSS_ADDR", Kvm.KVM_CAP_SET_TSS_ADDR);
    REQUIRED.put("KVM_CAP_EXT_CPUID", Kvm.KVM_CAP_EXT_CPUID);
    REQUIRED.put("KVM_CAP_IRQFD", Kvm.KVM_CAP_IRQFD);
    REQUIRED.put("KVM_CAP_PIT2", Kvm.KVM_CAP_PIT2);
    REQUIRED.put("KVM_CAP_IOEVENTFD", Kvm.KVM_CAP_IOEVENTFD);
    REQUIRED.put("KVM_CAP_IMMEDIATE_EXIT", Kvm.KVM_CAP_IMMEDIATE_EXIT);
  }

  private static volatile @Nullable KvmHost known;

  /**
   * Asks {@code system} unless it is known already.
   *
   * @throws BackendUnavailableException if KVM lacks something that machines need
   */
  static KvmHost of(KvmSystem system) {
    KvmHost host = known;
    if (host == null) {
      requireCapabilities(system);
      host =
          new KvmHost(
              system.vcpuMmapSize(),
              system.supportedCpuid(),
              system.extension(Kvm.KVM_CAP_TSC_DEADLINE_TIMER) != 0);
      known = host;
    }
    return host;
  }

  private static void requireCapabilities(KvmSystem system) {
    REQUIRED.forEach(
        (name, number) -> {
          if (system.extension(number) == 0) {
            throw new BackendUnavailableException(
                "this host's KVM lacks " + name + ": use Linux 5.10 or newer on the host");
          }
        });
  }
}
