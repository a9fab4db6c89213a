package io.github.avf4j.kvm.boot.x86;

import static io.github.avf4j.kvm.ioctl.Cpuid.EAX;
import static io.github.avf4j.kvm.ioctl.Cpuid.EBX;
import static io.github.avf4j.kvm.ioctl.Cpuid.ECX;
import static io.github.avf4j.kvm.ioctl.Cpuid.EDX;
import static io.github.avf4j.kvm.ioctl.Cpuid.ENTRIES;
import static io.github.avf4j.kvm.ioctl.Cpuid.ENTRY_SIZE;
import static io.github.avf4j.kvm.ioctl.Cpuid.FLAGS;
import static io.github.avf4j.kvm.ioctl.Cpuid.FLAG_SIGNIFICANT_INDEX;
import static io.github.avf4j.kvm.ioctl.Cpuid.FUNCTION;
import static io.github.avf4j.kvm.ioctl.Cpuid.INDEX;

import io.github.avf4j.linux.NativeBuffer;
import java.nio.ByteBuffer;

/**
 * What CPUID tells a vCPU: all that KVM supports on this host, with the machine's own topology: one
 * socket of single-threaded cores. Thread-safe.
 */
public final class CpuidTable {
  private static final int HYPERVISOR = 1 << 31;
  private static final int TSC_DEADLINE = 1 << 24;
  private static final int PDCM = 1 << 15;
  private static final int HTT = 1 << 28;
  private static final int SPARE_ENTRIES = 8;

  private final ByteBuffer entries;
  private final int vcpu;
  private final int vcpus;
  private final boolean tscDeadline;
  private int count;

  private CpuidTable(ByteBuffer entries, int count, int vcpu, int vcpus, boolean tscDeadline) {
    this.entries = entries;
    this.count = count;
    this.vcpu = vcpu;
    this.vcpus = vcpus;
    this.tscDeadline = tscDeadline;
  }

  /**
   * Returns the table of one vCPU as {@code KVM_SET_CPUID2} wants it.
   *
   * @param supported what KVM supports, not changed
   * @param tscDeadline whether KVM has the local APIC's TSC deadline timer
   */
  public static NativeBuffer of(NativeBuffer supported, int vcpu, int vcpus, boolean tscDeadline) {
    int count = supported.bytes().getInt(0);
    NativeBuffer copy = NativeBuffer.allocate(ENTRIES + (count + SPARE_ENTRIES) * ENTRY_SIZE);
    copy.bytes().put(0, supported.bytes(), 0, ENTRIES + count * ENTRY_SIZE);
    CpuidTable table = new CpuidTable(copy.bytes(), count, vcpu, vcpus, tscDeadline);
    table.adapt();
    copy.bytes().putInt(0, table.count);
    return copy;
  }

  private void adapt() {
    boolean topology = false;
    boolean topologyV2 = false;
    for (int i = 0; i < count; i++) {
      int at = ENTRIES + i * ENTRY_SIZE;
      switch (entries.getInt(at + FUNCTION)) {
        case 0x1 -> features(at);
        case 0x4, 0x8000001D -> caches(at);
        case 0x6 -> entries.putInt(at + EAX, entries.getInt(at + EAX) & 1 << 2).putInt(at + ECX, 0);
        case 0xA -> clear(at); // no performance counters
        case 0xB -> {
          topology = true;
          topologyLevel(at, entries.getInt(at + INDEX));
        }
        case 0x1F -> {
          topologyV2 = true;
          topologyLevel(at, entries.getInt(at + INDEX));
        }
        case 0x80000008 -> cores(at);
        case 0x8000001E ->
            entries.putInt(at + EAX, vcpu).putInt(at + EBX, vcpu).putInt(at + ECX, 0);
        default -> {
          // as KVM says
        }
      }
    }
    if (topology) {
      addMissingLevel(0xB);
    }
    if (topologyV2) {
      addMissingLevel(0x1F);
    }
  }

  private void features(int at) {
    int ids = Integer.highestOneBit(Math.max(1, vcpus * 2 - 1));
    entries.putInt(at + EBX, vcpu << 24 | ids << 16 | 8 << 8 | entries.get(at + EBX) & 0xFF);
    int ecx = entries.getInt(at + ECX) & ~PDCM | HYPERVISOR;
    entries.putInt(at + ECX, tscDeadline ? ecx | TSC_DEADLINE : ecx & ~TSC_DEADLINE);
    int edx = entries.getInt(at + EDX);
    entries.putInt(at + EDX, vcpus > 1 ? edx | HTT : edx & ~HTT);
  }

  /** Caches of level 1 and 2 belong to one vCPU, level 3 to all. */
  private void caches(int at) {
    int eax = entries.getInt(at + EAX);
    if ((eax & 0x1F) == 0) {
      return;
    }
    int level = eax >> 5 & 7;
    int sharers = level >= 3 ? vcpus - 1 : 0;
    eax = eax & 0x3FFF | sharers << 14;
    if (entries.getInt(at + FUNCTION) == 0x4) {
      eax |= vcpus - 1 << 26;
    }
    entries.putInt(at + EAX, eax);
  }

  private void topologyLevel(int at, int index) {
    int shift = index == 0 ? 0 : coreBits();
    int logical = index == 0 ? 1 : vcpus;
    int type = index == 0 ? 1 : index == 1 ? 2 : 0; // SMT, core, end of the list
    entries.putInt(at + FLAGS, FLAG_SIGNIFICANT_INDEX);
    entries.putInt(at + EAX, type == 0 ? 0 : shift);
    entries.putInt(at + EBX, type == 0 ? 0 : logical);
    entries.putInt(at + ECX, index | type << 8);
    entries.putInt(at + EDX, vcpu);
  }

  /** KVM has only the first level of the topology leaves. */
  private void addMissingLevel(int function) {
    for (int index = 0; index < 3; index++) {
      if (!has(function, index)) {
        int at = ENTRIES + count * ENTRY_SIZE;
        entries.putInt(at + FUNCTION, function).putInt(at + INDEX, index);
        topologyLevel(at, index);
        count++;
      }
    }
  }

  private boolean has(int function, int index) {
    for (int i = 0; i < count; i++) {
      int at = ENTRIES + i * ENTRY_SIZE;
      if (entries.getInt(at + FUNCTION) == function && entries.getInt(at + INDEX) == index) {
        return true;
      }
    }
    return false;
  }

  /** AMD's count of cores. */
  private void cores(int at) {
    int ecx = entries.getInt(at + ECX) & ~0xF0FF;
    entries.putInt(at + ECX, ecx | coreBits() << 12 | vcpus - 1);
  }

  private int coreBits() {
    return 32 - Integer.numberOfLeadingZeros(vcpus - 1);
  }

  private void clear(int at) {
    entries.putInt(at + EAX, 0).putInt(at + EBX, 0).putInt(at + ECX, 0).putInt(at + EDX, 0);
  }
}
