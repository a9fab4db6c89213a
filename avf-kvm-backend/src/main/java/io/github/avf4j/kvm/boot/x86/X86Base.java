package io.github.avf4j.kvm.boot.x86;

import io.github.avf4j.kvm.boot.Board;
import io.github.avf4j.kvm.boot.BootState;
import io.github.avf4j.kvm.boot.VirtioSlots;
import io.github.avf4j.kvm.ioctl.KvmSystem;
import io.github.avf4j.kvm.ioctl.KvmVcpu;
import io.github.avf4j.kvm.ioctl.KvmVm;
import io.github.avf4j.kvm.vcpu.VcpuDiagnostics;
import io.github.avf4j.virtio.memory.GuestMemory;

/** What all boards of x86-64 have: memory, interrupt controllers, vCPUs. */
abstract class X86Base implements Board {
  private static final VirtioSlots VIRTIO =
      new VirtioSlots(Layout.HOLE, Layout.FIRST_MMIO_GSI, false);

  private final MachineMemory memory;
  private final int vcpus;
  private BootState boot = vcpu -> {};

  X86Base(long size, int vcpus) {
    this.memory = new MachineMemory(size);
    this.vcpus = vcpus;
  }

  final MachineMemory machineMemory() {
    return memory;
  }

  /** Says how the first vCPU begins. */
  final void enterBy(BootState state) {
    boot = state;
  }

  @Override
  public final GuestMemory memory() {
    return memory.guest();
  }

  @Override
  public final VirtioSlots virtio() {
    return VIRTIO;
  }

  @Override
  public final KvmVm createVm(KvmSystem system) {
    return system.createVm();
  }

  @Override
  public final void prepare(KvmVm vm) {
    memory.attach(vm);
    VcpuSetup.prepareVm(vm);
  }

  @Override
  public final void prepare(KvmVm vm, KvmVcpu vcpu, int index) {
    HostCpuid host = HostCpuid.get();
    VcpuSetup.prepareVcpu(vcpu, CpuidTable.of(host.cpuid(), index, vcpus, host.tscDeadline()));
  }

  @Override
  public final void complete(KvmVm vm, KvmVcpu first) {
    boot.apply(first);
  }

  @Override
  public final VcpuDiagnostics diagnostics() {
    return new X86Diagnostics(memory.guest());
  }

  @Override
  public final void close() {
    memory.close();
  }
}
