package io.github.avf4j.kvm.ioctl;

import io.github.avf4j.HypervisorException;
import io.github.avf4j.linux.EventFd;
import io.github.avf4j.linux.Fd;
import io.github.avf4j.linux.Ioctl;
import io.github.avf4j.linux.NativeBuffer;
import java.nio.ByteBuffer;

/**
 * A VM's descriptor. Every method throws {@link HypervisorException} if KVM refuses. Thread-safe.
 */
public final class KvmVm implements AutoCloseable {
  // struct kvm_userspace_memory_region: slot 0, flags 4, guest_phys_addr 8, memory_size 16,
  // userspace_addr 24. struct kvm_irqfd: fd 0, gsi 4, flags 8. struct kvm_ioeventfd: datamatch 0,
  // addr 8, len 16, fd 20, flags 24. struct kvm_irq_level: irq 0, level 4.
  // struct kvm_enable_cap: cap 0, flags 4, args 8. struct kvm_create_device: type 0, fd 4, flags 8.
  // struct kvm_device_attr: flags 0, group 4, attr 8, addr 16. struct kvm_vcpu_init: target 0,
  // features 4.
  private static final int LARGEST_ARGUMENT = 104;
  private static final int DEVICE_FD = 4;
  private static final int VALUE = 64; // room for what an argument points to

  private final Fd fd;
  private final NativeBuffer argument = NativeBuffer.allocate(LARGEST_ARGUMENT);

  KvmVm(Fd fd) {
    this.fd = fd;
  }

  /** Tells KVM where three pages of guest addresses are free for its own use on Intel. */
  public void setTssAddress(long gpa) {
    Ioctl.call("KVM_SET_TSS_ADDR", fd, Kvm.KVM_SET_TSS_ADDR, gpa);
  }

  /** Tells KVM where one more page is free for its own use on Intel. */
  public synchronized void setIdentityMapAddress(long gpa) {
    argument.clear().bytes().putLong(0, gpa);
    Ioctl.call("KVM_SET_IDENTITY_MAP_ADDR", fd, Kvm.KVM_SET_IDENTITY_MAP_ADDR, argument);
  }

  /** Backs {@code size} bytes of guest memory at {@code gpa} by memory of this process. */
  public synchronized void setMemoryRegion(int slot, long gpa, long size, long address) {
    ByteBuffer region = argument.clear().bytes();
    region.putInt(0, slot).putLong(8, gpa).putLong(16, size).putLong(24, address);
    Ioctl.call("KVM_SET_USER_MEMORY_REGION", fd, Kvm.KVM_SET_USER_MEMORY_REGION, argument);
  }

  /** Makes PIC, IOAPIC and, with each vCPU, a local APIC. */
  public void createIrqchip() {
    Ioctl.call("KVM_CREATE_IRQCHIP", fd, Kvm.KVM_CREATE_IRQCHIP, 0);
  }

  /** Makes the interval timer; port 0x61 stays in the kernel. */
  public synchronized void createPit() {
    argument.clear().bytes().putInt(0, Kvm.KVM_PIT_SPEAKER_DUMMY);
    Ioctl.call("KVM_CREATE_PIT2", fd, Kvm.KVM_CREATE_PIT2, argument);
  }

  /**
   * Makes a vCPU.
   *
   * @param mmapSize of {@link KvmSystem#vcpuMmapSize()}
   */
  public KvmVcpu createVcpu(int id, int mmapSize) {
    Fd vcpu = Fd.own(Ioctl.call("KVM_CREATE_VCPU", fd, Kvm.KVM_CREATE_VCPU, id));
    try {
      return new KvmVcpu(vcpu, mmapSize);
    } catch (RuntimeException e) {
      vcpu.close();
      throw e;
    }
  }

  /** Returns what KVM_CHECK_EXTENSION says of a capability for this VM, 0 if it is missing. */
  public int extension(int capability) {
    return Math.max(0, Ioctl.issue(fd.number(), Kvm.KVM_CHECK_EXTENSION, capability));
  }

  /**
   * Switches a capability on.
   *
   * @param argument its first argument
   */
  public synchronized void enableCapability(int capability, int flags, long argument) {
    ByteBuffer cap = this.argument.clear().bytes();
    cap.putInt(0, capability).putInt(4, flags).putLong(8, argument);
    Ioctl.call("KVM_ENABLE_CAP", fd, KvmArm.KVM_ENABLE_CAP, this.argument);
  }

  /** Returns whether {@link #createDevice} would make a device of a type. */
  public synchronized boolean hasDevice(int type) {
    argument.clear().bytes().putInt(0, type).putInt(8, KvmArm.KVM_CREATE_DEVICE_TEST);
    return Ioctl.issue(fd.number(), KvmArm.KVM_CREATE_DEVICE, argument.address()) >= 0;
  }

  /** Makes a device inside the kernel; closing its descriptor does not end it. */
  public synchronized Fd createDevice(int type) {
    argument.clear().bytes().putInt(0, type);
    Ioctl.call("KVM_CREATE_DEVICE", fd, KvmArm.KVM_CREATE_DEVICE, argument);
    return Fd.own(argument.bytes().getInt(DEVICE_FD));
  }

  /** Sets a 64-bit attribute of a device inside the kernel, or does what it stands for. */
  public synchronized void setDeviceAttribute(Fd device, int group, int attribute, long value) {
    ByteBuffer attr = argument.clear().bytes();
    attr.putInt(4, group).putLong(8, attribute).putLong(16, argument.address() + VALUE);
    attr.putLong(VALUE, value);
    Ioctl.call("KVM_SET_DEVICE_ATTR", device, KvmArm.KVM_SET_DEVICE_ATTR, argument);
  }

  /** Returns the kind of processor that vCPUs of arm64 have on this host. */
  public synchronized int preferredTarget() {
    Ioctl.call("KVM_ARM_PREFERRED_TARGET", fd, KvmArm.KVM_ARM_PREFERRED_TARGET, argument.clear());
    return argument.bytes().getInt(0);
  }

  /** Sets the level of an interrupt line. */
  public synchronized void setIrqLine(int gsi, boolean high) {
    argument.bytes().putInt(0, gsi).putInt(4, high ? 1 : 0);
    Ioctl.call("KVM_IRQ_LINE", fd, Kvm.KVM_IRQ_LINE, argument);
  }

  /** Makes each signal of {@code event} an edge on an interrupt line. */
  public synchronized void assignIrqfd(EventFd event, int gsi) {
    argument.clear().bytes().putInt(0, event.fd().number()).putInt(4, gsi);
    Ioctl.call("KVM_IRQFD", fd, Kvm.KVM_IRQFD, argument);
  }

  /** Makes the guest's 4-byte writes of {@code value} to {@code gpa} a signal of {@code event}. */
  public synchronized void assignIoeventfd(EventFd event, long gpa, int value) {
    ByteBuffer ioeventfd = argument.clear().bytes();
    ioeventfd.putLong(0, Integer.toUnsignedLong(value)).putLong(8, gpa).putInt(16, 4);
    ioeventfd.putInt(20, event.fd().number()).putInt(24, Kvm.KVM_IOEVENTFD_FLAG_DATAMATCH);
    Ioctl.call("KVM_IOEVENTFD", fd, Kvm.KVM_IOEVENTFD, argument);
  }

  @Override
  public void close() {
    fd.close();
  }
}
