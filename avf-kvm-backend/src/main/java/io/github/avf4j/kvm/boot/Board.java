package io.github.avf4j.kvm.boot;

import io.github.avf4j.StopReason;
import io.github.avf4j.kvm.device.Buses;
import io.github.avf4j.kvm.ioctl.KvmSystem;
import io.github.avf4j.kvm.ioctl.KvmVcpu;
import io.github.avf4j.kvm.ioctl.KvmVm;
import io.github.avf4j.kvm.vcpu.VcpuDiagnostics;
import io.github.avf4j.virtio.memory.GuestMemory;
import io.github.avf4j.virtio.mmio.MmioTransport;
import java.util.List;
import java.util.function.Consumer;

/**
 * What one machine is built on: its memory map and memory, its boot material, and the devices that
 * are not virtio. A machine calls the methods in their order here. Confined to the thread that
 * makes the machine, except {@link #memory()} and what is returned.
 */
public interface Board extends AutoCloseable {
  /** Returns the RAM as devices may access it. */
  GuestMemory memory();

  /** Returns where the virtio devices are. */
  VirtioSlots virtio();

  /**
   * Puts into memory all that the guest finds there at its start.
   *
   * @param virtioDevices how many windows are in use
   * @throws io.github.avf4j.InvalidImageException if a file cannot be used or the memory is too
   *     small for it
   */
  void load(int virtioDevices);

  /**
   * Makes a VM of the board's kind, empty; the caller closes it.
   *
   * @throws io.github.avf4j.BackendUnavailableException if this host has no such VMs
   */
  KvmVm createVm(KvmSystem system);

  /** Gives the VM its memory and what vCPUs need to be there before them. */
  void prepare(KvmVm vm);

  /** Sets up a vCPU as it is at power-on. */
  void prepare(KvmVm vm, KvmVcpu vcpu, int index);

  /**
   * Makes what needs the vCPUs to be there, such as their interrupt controller, and sets the first
   * one's registers to the kernel's entry. Interrupts can be connected afterwards.
   */
  void complete(KvmVm vm, KvmVcpu first);

  /**
   * Makes the devices that are not virtio and the buses for all.
   *
   * @param transports the virtio devices in the order of their windows
   * @param stop ends the machine
   */
  Buses buses(KvmVm vm, List<MmioTransport> transports, Consumer<StopReason> stop);

  /** Returns who explains what a vCPU died of. */
  VcpuDiagnostics diagnostics();

  /** Gives the memory back. Every thread that may touch it has ended. */
  @Override
  void close();
}
