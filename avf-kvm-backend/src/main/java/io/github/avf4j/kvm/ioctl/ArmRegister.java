package io.github.avf4j.kvm.ioctl;

/**
 * Ids of 64-bit registers of arm64 for {@link KvmVcpu#oneRegister}: a core register's index is its
 * offset in {@code struct kvm_regs} divided by 4 (x0 to x30 from 0, pc 256, pstate 264).
 * Thread-safe.
 */
public final class ArmRegister {
  static final int PC_OFFSET = 256;
  static final int PSTATE_OFFSET = 264;

  private static final long CORE =
      KvmArm.KVM_REG_ARM64 | KvmArm.KVM_REG_SIZE_U64 | KvmArm.KVM_REG_ARM_CORE;

  /** The program counter. */
  public static final long PC = CORE | PC_OFFSET / 4;

  /** The processor state. */
  public static final long PSTATE = CORE | PSTATE_OFFSET / 4;

  private ArmRegister() {}

  /** Returns the id of a general register, X0 to X30. */
  public static long x(int number) {
    return CORE | number * 2L;
  }
}
