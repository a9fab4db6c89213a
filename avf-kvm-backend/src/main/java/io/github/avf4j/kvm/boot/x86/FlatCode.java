package io.github.avf4j.kvm.boot.x86;

import io.github.avf4j.kvm.boot.BootState;

/**
 * Instructions that are a whole guest: 64-bit kernel mode, no tables but the CPU's. Thread-safe.
 */
public final class FlatCode {
  private FlatCode() {}

  /** Puts {@code code} where kernels begin (0x100000) and says how to enter it. */
  public static BootState load(MachineMemory memory, byte[] code) {
    memory.guest().write(Layout.HIGH_MEMORY, code, 0, code.length);
    LinuxBoot.prepareLongMode(memory.guest());
    return new LinuxBoot(Layout.HIGH_MEMORY);
  }
}
