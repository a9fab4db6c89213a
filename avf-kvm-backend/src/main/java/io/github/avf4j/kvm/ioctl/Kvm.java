package io.github.avf4j.kvm.ioctl;

/**
 * Names and numbers of {@code linux/kvm.h} for x86-64; those that other processors have as well are
 * the same there. Request numbers are computed from direction, number and size of the argument.
 * Thread-safe.
 */
public final class Kvm {
  public static final int API_VERSION = 12;

  public static final long KVM_GET_API_VERSION = io(0x00);
  public static final long KVM_CREATE_VM = io(0x01);
  public static final long KVM_CHECK_EXTENSION = io(0x03);
  public static final long KVM_GET_VCPU_MMAP_SIZE = io(0x04);
  public static final long KVM_GET_SUPPORTED_CPUID = iowr(0x05, 8);

  public static final long KVM_CREATE_VCPU = io(0x41);
  public static final long KVM_SET_USER_MEMORY_REGION = iow(0x46, 32);
  public static final long KVM_SET_TSS_ADDR = io(0x47);
  public static final long KVM_SET_IDENTITY_MAP_ADDR = iow(0x48, 8);
  public static final long KVM_CREATE_IRQCHIP = io(0x60);
  public static final long KVM_IRQ_LINE = iow(0x61, 8);
  public static final long KVM_IRQFD = iow(0x76, 32);
  public static final long KVM_CREATE_PIT2 = iow(0x77, 64);
  public static final long KVM_IOEVENTFD = iow(0x79, 64);

  public static final long KVM_RUN = io(0x80);
  public static final long KVM_GET_REGS = ior(0x81, 144);
  public static final long KVM_SET_REGS = iow(0x82, 144);
  public static final long KVM_GET_SREGS = ior(0x83, 312);
  public static final long KVM_SET_SREGS = iow(0x84, 312);
  public static final long KVM_TRANSLATE = iowr(0x85, 24);
  public static final long KVM_SET_MSRS = iow(0x89, 8);
  public static final long KVM_SET_FPU = iow(0x8D, 416);
  public static final long KVM_GET_LAPIC = ior(0x8E, 1024);
  public static final long KVM_SET_LAPIC = iow(0x8F, 1024);
  public static final long KVM_SET_CPUID2 = iow(0x90, 8);

  public static final int KVM_CAP_IRQCHIP = 0;
  public static final int KVM_CAP_USER_MEMORY = 3;
  public static final int KVM_CAP_SET_TSS_ADDR = 4;
  public static final int KVM_CAP_EXT_CPUID = 7;
  public static final int KVM_CAP_IRQFD = 32;
  public static final int KVM_CAP_PIT2 = 33;
  public static final int KVM_CAP_IOEVENTFD = 36;
  public static final int KVM_CAP_MAX_VCPUS = 66;
  public static final int KVM_CAP_TSC_DEADLINE_TIMER = 72;
  public static final int KVM_CAP_IMMEDIATE_EXIT = 136;

  public static final int KVM_PIT_SPEAKER_DUMMY = 1;
  public static final int KVM_IOEVENTFD_FLAG_DATAMATCH = 1;

  public static final int KVM_EXIT_IO = 2;
  public static final int KVM_EXIT_MMIO = 6;
  public static final int KVM_EXIT_SHUTDOWN = 8;
  public static final int KVM_EXIT_FAIL_ENTRY = 9;
  public static final int KVM_EXIT_INTR = 10;
  public static final int KVM_EXIT_INTERNAL_ERROR = 17;
  public static final int KVM_EXIT_SYSTEM_EVENT = 24;
  public static final int KVM_EXIT_ARM_NISV = 28;

  public static final int KVM_SYSTEM_EVENT_SHUTDOWN = 1;
  public static final int KVM_SYSTEM_EVENT_RESET = 2;
  public static final int KVM_SYSTEM_EVENT_CRASH = 3;

  private static final int TYPE = 0xAE << 8;

  private Kvm() {}

  private static long io(int number) {
    return TYPE | number;
  }

  static long iow(int number, int size) {
    return 1L << 30 | size << 16 | TYPE | number;
  }

  static long ior(int number, int size) {
    return 2L << 30 | size << 16 | TYPE | number;
  }

  static long iowr(int number, int size) {
    return 3L << 30 | size << 16 | TYPE | number;
  }
}
