package io.github.avf4j.kvm.ioctl;

import io.github.avf4j.HypervisorException;
import io.github.avf4j.linux.Fd;
import io.github.avf4j.linux.Ioctl;
import io.github.avf4j.linux.MemoryMapping;
import io.github.avf4j.linux.NativeBuffer;
import java.lang.ref.Reference;
import java.util.OptionalLong;

/**
 * A vCPU's descriptor and its run structure. Methods other than {@link #enter()} throw {@link
 * HypervisorException} if KVM refuses. Confined to one thread at a time: the one that makes it,
 * then the vCPU thread.
 */
public final class KvmVcpu implements AutoCloseable {
  private final Fd fd;
  private final int number;
  private final MemoryMapping mapping;
  private final KvmRun run;

  KvmVcpu(Fd fd, int mmapSize) {
    this.fd = fd;
    this.number = fd.number();
    this.mapping = MemoryMapping.shared(fd, 0, mmapSize);
    this.run = new KvmRun(mapping.chunks().get(0));
  }

  /** Returns the run structure; not to be touched after {@link #close()}. */
  public KvmRun run() {
    return run;
  }

  /**
   * Runs the guest until the next exit; allocates nothing. Must not be called after {@link
   * #close()}.
   *
   * @return 0, or the negated error number
   */
  public int enter() {
    return Ioctl.issue(number, Kvm.KVM_RUN, 0);
  }

  /** Sets what CPUID answers: see {@link KvmSystem#supportedCpuid()} for the layout. */
  public void setCpuid(NativeBuffer cpuid) {
    Ioctl.call("KVM_SET_CPUID2", fd, Kvm.KVM_SET_CPUID2, cpuid);
  }

  /**
   * Sets model-specific registers.
   *
   * @param msrs {@code struct kvm_msrs}: count 0, entries from 8 with index 0 and value 8
   */
  public void setMsrs(NativeBuffer msrs) {
    int count = msrs.bytes().getInt(0);
    int done = Ioctl.call("KVM_SET_MSRS", fd, Kvm.KVM_SET_MSRS, msrs);
    if (done != count) {
      int index = msrs.bytes().getInt(8 + 16 * done);
      throw new HypervisorException(
          "ioctl(KVM_SET_MSRS)",
          0,
          "KVM refuses to set MSR 0x" + Integer.toHexString(index) + ": try a newer kernel");
    }
  }

  /** Returns the general registers in a new {@link Registers}. */
  public Registers registers() {
    Registers registers = new Registers();
    Ioctl.call("KVM_GET_REGS", fd, Kvm.KVM_GET_REGS, registers.buffer());
    return registers;
  }

  /** Sets the general registers. */
  public void setRegisters(Registers registers) {
    Ioctl.call("KVM_SET_REGS", fd, Kvm.KVM_SET_REGS, registers.buffer());
  }

  /** Returns the special registers in a new {@link SpecialRegisters}. */
  public SpecialRegisters specialRegisters() {
    SpecialRegisters registers = new SpecialRegisters();
    Ioctl.call("KVM_GET_SREGS", fd, Kvm.KVM_GET_SREGS, registers.buffer());
    return registers;
  }

  /** Sets the special registers. */
  public void setSpecialRegisters(SpecialRegisters registers) {
    Ioctl.call("KVM_SET_SREGS", fd, Kvm.KVM_SET_SREGS, registers.buffer());
  }

  /** Sets the floating point unit: {@code struct kvm_fpu}, 416 bytes. */
  public void setFpu(NativeBuffer fpu) {
    Ioctl.call("KVM_SET_FPU", fd, Kvm.KVM_SET_FPU, fpu);
  }

  /** Reads the local APIC's registers: 1024 bytes. */
  public void getLapic(NativeBuffer lapic) {
    Ioctl.call("KVM_GET_LAPIC", fd, Kvm.KVM_GET_LAPIC, lapic);
  }

  /** Sets the local APIC's registers: 1024 bytes. */
  public void setLapic(NativeBuffer lapic) {
    Ioctl.call("KVM_SET_LAPIC", fd, Kvm.KVM_SET_LAPIC, lapic);
  }

  /** Returns the guest-physical address of a linear address, empty if it is not mapped. */
  public OptionalLong translate(long linear) {
    // struct kvm_translation: linear_address 0, physical_address 8, valid 16.
    NativeBuffer translation = NativeBuffer.allocate(24);
    translation.bytes().putLong(0, linear);
    int result = Ioctl.issue(number, Kvm.KVM_TRANSLATE, translation.address());
    Reference.reachabilityFence(translation);
    return result < 0 || translation.bytes().get(16) == 0
        ? OptionalLong.empty()
        : OptionalLong.of(translation.bytes().getLong(8));
  }

  /**
   * Sets a vCPU of arm64 up as it is at power-on.
   *
   * @param target of {@link KvmVm#preferredTarget()}
   * @param features a bit for each {@code KVM_ARM_VCPU_…}
   */
  public void initialize(int target, int features) {
    // struct kvm_vcpu_init: target 0, features 4, seven words.
    NativeBuffer init = NativeBuffer.allocate(32);
    init.bytes().putInt(0, target).putInt(4, features);
    Ioctl.call("KVM_ARM_VCPU_INIT", fd, KvmArm.KVM_ARM_VCPU_INIT, init);
  }

  /** Returns a 64-bit register of arm64 by its id; see {@link ArmRegister}. */
  public long oneRegister(long id) {
    NativeBuffer register = register(id, 0);
    Ioctl.call("KVM_GET_ONE_REG", fd, KvmArm.KVM_GET_ONE_REG, register);
    return register.bytes().getLong(16);
  }

  /** Sets a 64-bit register of arm64 by its id; see {@link ArmRegister}. */
  public void setOneRegister(long id, long value) {
    Ioctl.call("KVM_SET_ONE_REG", fd, KvmArm.KVM_SET_ONE_REG, register(id, value));
  }

  /** {@code struct kvm_one_reg}: id 0, addr 8; the value follows it. */
  private static NativeBuffer register(long id, long value) {
    NativeBuffer register = NativeBuffer.allocate(24);
    register.bytes().putLong(0, id).putLong(8, register.address() + 16).putLong(16, value);
    return register;
  }

  @Override
  public void close() {
    fd.close();
    mapping.close();
  }
}
