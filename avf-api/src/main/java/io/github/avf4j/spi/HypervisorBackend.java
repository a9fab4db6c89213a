package io.github.avf4j.spi;

import io.github.avf4j.HostReport;
import io.github.avf4j.ProtectionLevel;

/** Makes machines. Found by {@link java.util.ServiceLoader}. Thread-safe. */
public interface HypervisorBackend {
  /** Returns the backend's name in lower case, such as {@code kvm}. */
  String name();

  /** Returns its rank among usable backends; the highest is taken. */
  int priority();

  /**
   * Says how well this backend runs machines on this host. May run a tiny guest; the result may be
   * kept for the life of the JVM where the host cannot change it.
   */
  HostReport.Backend probe();

  /**
   * Says whether this backend's machines can have a protection level on this host. Called only
   * where {@link #probe()} found the backend usable; by the same rules.
   */
  default HostReport.Protection protection(ProtectionLevel level) {
    return level == ProtectionLevel.NONE
        ? new HostReport.Protection(level, true, "every machine of " + name() + " has it", "")
        : new HostReport.Protection(
            level,
            false,
            "the backend " + name() + " does not make protected machines",
            "use the backend kvm on an arm64 host with pKVM");
  }

  /**
   * Makes a machine: allocates its memory, loads its kernel, makes its devices and vCPUs. Nothing
   * is left behind when it throws.
   *
   * @throws io.github.avf4j.BackendUnavailableException if this backend cannot be used here
   * @throws io.github.avf4j.InvalidImageException if kernel, initrd or a disk cannot be used
   * @throws io.github.avf4j.HypervisorException if the host refuses what the machine needs
   */
  Machine create(MachineSpec spec, MachineListener listener);
}
