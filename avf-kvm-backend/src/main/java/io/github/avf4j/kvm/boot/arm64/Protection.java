package io.github.avf4j.kvm.boot.arm64;

import io.github.avf4j.ProtectionLevel;

/**
 * What a protection level means for a machine. Thread-safe.
 *
 * @param level the level
 */
record Protection(ProtectionLevel level) {
  static final Protection NONE = new Protection(ProtectionLevel.NONE);

  /** Says whether the guest's memory is really not the host's. */
  boolean isHardware() {
    return level == ProtectionLevel.HARDWARE;
  }

  /** Says whether the guest lets its devices see only what lies in a pool of its own. */
  boolean sharesPages() {
    return level != ProtectionLevel.NONE;
  }
}
