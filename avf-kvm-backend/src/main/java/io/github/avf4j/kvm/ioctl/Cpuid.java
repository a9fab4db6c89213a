package io.github.avf4j.kvm.ioctl;

/**
 * Where things are in {@code struct kvm_cpuid2}: count 0, entries 8; an entry has function 0, index
 * 4, flags 8 (bit 0: the index counts), eax 12, ebx 16, ecx 20, edx 24 and 12 bytes of padding.
 * Thread-safe.
 */
public final class Cpuid {
  public static final int ENTRIES = 8;
  public static final int ENTRY_SIZE = 40;
  public static final int FUNCTION = 0;
  public static final int INDEX = 4;
  public static final int FLAGS = 8;
  public static final int EAX = 12;
  public static final int EBX = 16;
  public static final int ECX = 20;
  public static final int EDX = 24;
  public static final int FLAG_SIGNIFICANT_INDEX = 1;

  private Cpuid() {}
}
