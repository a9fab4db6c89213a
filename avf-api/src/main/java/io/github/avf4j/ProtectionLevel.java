package io.github.avf4j;

/** From whom a virtual machine's memory is protected. */
public enum ProtectionLevel {
  /** The guest is isolated from the host's programs; the host can read the guest's memory. */
  NONE,
  /** The boot flow of a protected machine without its isolation, for development. */
  SIMULATED,
  /** A hypervisor keeps the guest's memory from the host. */
  HARDWARE
}
