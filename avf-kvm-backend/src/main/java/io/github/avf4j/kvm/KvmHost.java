package io.github.avf4j.kvm;

import io.github.avf4j.BackendUnavailableException;
import io.github.avf4j.kvm.boot.Platform;
import io.github.avf4j.kvm.ioctl.KvmSystem;
import org.jspecify.annotations.Nullable;

/**
 * What does not change as long as the kernel runs: asked once. Thread-safe.
 *
 * @param vcpuMmapSize the size of a vCPU's run structure with what follows it
 */
record KvmHost(int vcpuMmapSize) {
  private static volatile @Nullable KvmHost known;

  /**
   * Asks {@code system} unless it is known already.
   *
   * @throws BackendUnavailableException if KVM lacks something that machines need
   */
  static KvmHost of(KvmSystem system, Platform platform) {
    KvmHost host = known;
    if (host == null) {
      requireCapabilities(system, platform);
      host = new KvmHost(system.vcpuMmapSize());
      known = host;
    }
    return host;
  }

  private static void requireCapabilities(KvmSystem system, Platform platform) {
    platform
        .requiredCapabilities()
        .forEach(
            (name, number) -> {
              if (system.extension(number) == 0) {
                throw new BackendUnavailableException(
                    "this host's KVM lacks " + name + ": use Linux 5.10 or newer on the host");
              }
            });
  }
}
