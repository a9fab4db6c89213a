package io.github.avf4j.kvm.ioctl;

/**
 * Names and numbers of {@code linux/kvm.h} and {@code asm/kvm.h} that only arm64 has. Thread-safe.
 */
public final class KvmArm {
  public static final long KVM_ENABLE_CAP = Kvm.iow(0xA3, 104);
  public static final long KVM_GET_ONE_REG = Kvm.iow(0xAB, 16);
  public static final long KVM_SET_ONE_REG = Kvm.iow(0xAC, 16);
  public static final long KVM_ARM_VCPU_INIT = Kvm.iow(0xAE, 32);
  public static final long KVM_ARM_PREFERRED_TARGET = Kvm.ior(0xAF, 32);
  public static final long KVM_CREATE_DEVICE = Kvm.iowr(0xE0, 12);
  public static final long KVM_SET_DEVICE_ATTR = Kvm.iow(0xE1, 24);

  public static final int KVM_CAP_ONE_REG = 70;
  public static final int KVM_CAP_DEVICE_CTRL = 89;
  public static final int KVM_CAP_ARM_PSCI_0_2 = 102;
  public static final int KVM_CAP_ARM_VM_IPA_SIZE = 165;
  public static final int KVM_CAP_ARM_PTRAUTH_ADDRESS = 171;
  public static final int KVM_CAP_ARM_PTRAUTH_GENERIC = 172;
  public static final int KVM_CAP_ARM_NISV_TO_USER = 177;

  public static final int KVM_CREATE_DEVICE_TEST = 1;
  public static final int KVM_DEV_TYPE_ARM_VGIC_V2 = 5;
  public static final int KVM_DEV_TYPE_ARM_VGIC_V3 = 7;
  public static final int KVM_DEV_ARM_VGIC_GRP_ADDR = 0;
  public static final int KVM_DEV_ARM_VGIC_GRP_NR_IRQS = 3;
  public static final int KVM_DEV_ARM_VGIC_GRP_CTRL = 4;
  public static final int KVM_DEV_ARM_VGIC_CTRL_INIT = 0;
  public static final int KVM_VGIC_V2_ADDR_TYPE_DIST = 0;
  public static final int KVM_VGIC_V2_ADDR_TYPE_CPU = 1;
  public static final int KVM_VGIC_V3_ADDR_TYPE_DIST = 2;
  public static final int KVM_VGIC_V3_ADDR_TYPE_REDIST = 3;

  public static final int KVM_ARM_IRQ_TYPE_SHIFT = 24;
  public static final int KVM_ARM_IRQ_TYPE_SPI = 1;

  public static final int KVM_ARM_VCPU_POWER_OFF = 0;
  public static final int KVM_ARM_VCPU_PSCI_0_2 = 2;
  public static final int KVM_ARM_VCPU_PTRAUTH_ADDRESS = 5;
  public static final int KVM_ARM_VCPU_PTRAUTH_GENERIC = 6;

  public static final long KVM_REG_ARM64 = 0x6000000000000000L;
  public static final long KVM_REG_SIZE_U64 = 0x0030000000000000L;
  public static final long KVM_REG_ARM_CORE = 0x0010L << 16;

  private KvmArm() {}
}
