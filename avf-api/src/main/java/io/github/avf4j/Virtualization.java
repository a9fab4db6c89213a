package io.github.avf4j;

import io.github.avf4j.spi.VirtualizationProvider;

/** Says what this host can do. Thread-safe. */
public final class Virtualization {
  private Virtualization() {}

  /**
   * Looks at every hypervisor backend of this host; runs a guest of a few instructions where {@code
   * /dev/kvm} opens. Takes milliseconds; nothing stays behind.
   */
  public static HostReport probe() {
    return VirtualizationProvider.load().probe();
  }
}
