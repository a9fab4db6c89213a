package io.github.avf4j.kvm.device;

/**
 * Where a vCPU's accesses go that no memory backs. Thread-safe.
 *
 * @param ports the I/O ports; empty on processors that have none
 * @param mmio the registers in memory
 */
public record Buses(PortBus ports, MmioBus mmio) {}
