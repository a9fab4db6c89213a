package io.github.avf4j.kvm.boot.x86;

import io.github.avf4j.kvm.ioctl.KvmVcpu;
import io.github.avf4j.kvm.ioctl.KvmVm;
import io.github.avf4j.linux.NativeBuffer;

/** The state that vCPUs have before a boot protocol sets registers. Thread-safe. */
public final class VcpuSetup {
  private static final int MSR_TSC = 0x10;
  private static final int MSR_SYSENTER_CS = 0x174;
  private static final int MSR_SYSENTER_ESP = 0x175;
  private static final int MSR_SYSENTER_EIP = 0x176;
  private static final int MSR_MISC_ENABLE = 0x1A0;
  private static final int MSR_MTRR_DEF_TYPE = 0x2FF;
  private static final int MSR_STAR = 0xC0000081;
  private static final int MSR_LSTAR = 0xC0000082;
  private static final int MSR_CSTAR = 0xC0000083;
  private static final int MSR_SYSCALL_MASK = 0xC0000084;
  private static final int MSR_KERNEL_GS_BASE = 0xC0000102;

  private static final long FAST_STRINGS = 1;
  // Enabled, write-back: without it some kernels map RAM uncached.
  private static final long MTRR_WRITE_BACK = 0x806;

  // index, value
  private static final long[][] MSRS = {
    {MSR_SYSENTER_CS, 0},
    {MSR_SYSENTER_ESP, 0},
    {MSR_SYSENTER_EIP, 0},
    {MSR_STAR, 0},
    {MSR_CSTAR, 0},
    {MSR_KERNEL_GS_BASE, 0},
    {MSR_SYSCALL_MASK, 0},
    {MSR_LSTAR, 0},
    {MSR_TSC, 0},
    {MSR_MISC_ENABLE, FAST_STRINGS},
    {MSR_MTRR_DEF_TYPE, MTRR_WRITE_BACK},
  };

  private static final int LVT_LINT0 = 0x350;
  private static final int LVT_LINT1 = 0x360;
  private static final int DELIVERY_MODE = 7 << 8;
  private static final int DELIVERY_NMI = 4 << 8;
  private static final int DELIVERY_EXTINT = 7 << 8;

  private VcpuSetup() {}

  /** Tells KVM which guest addresses it may use itself, and makes the interrupt controllers. */
  public static void prepareVm(KvmVm vm) {
    vm.setTssAddress(Layout.TSS);
    vm.setIdentityMapAddress(Layout.IDENTITY_MAP);
    vm.createIrqchip();
    vm.createPit();
  }

  /** Sets CPUID, then model-specific registers (KVM looks at CPUID), FPU and local APIC. */
  public static void prepareVcpu(KvmVcpu vcpu, NativeBuffer cpuid) {
    vcpu.setCpuid(cpuid);
    vcpu.setMsrs(msrs());
    vcpu.setFpu(fpu());
    NativeBuffer lapic = NativeBuffer.allocate(1024);
    vcpu.getLapic(lapic);
    setDelivery(lapic, LVT_LINT0, DELIVERY_EXTINT);
    setDelivery(lapic, LVT_LINT1, DELIVERY_NMI);
    vcpu.setLapic(lapic);
  }

  private static NativeBuffer msrs() {
    NativeBuffer msrs = NativeBuffer.allocate(8 + 16 * MSRS.length);
    msrs.bytes().putInt(0, MSRS.length);
    for (int i = 0; i < MSRS.length; i++) {
      msrs.bytes().putInt(8 + 16 * i, (int) MSRS[i][0]).putLong(16 + 16 * i, MSRS[i][1]);
    }
    return msrs;
  }

  /** {@code struct kvm_fpu}: fcw 128, mxcsr 408, with the values of FNINIT and reset. */
  private static NativeBuffer fpu() {
    NativeBuffer fpu = NativeBuffer.allocate(416);
    fpu.bytes().putShort(128, (short) 0x37F).putInt(408, 0x1F80);
    return fpu;
  }

  private static void setDelivery(NativeBuffer lapic, int register, int mode) {
    int value = lapic.bytes().getInt(register) & ~DELIVERY_MODE | mode;
    lapic.bytes().putInt(register, value);
  }
}
