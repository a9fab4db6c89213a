package io.github.avf4j.kvm.boot.x86;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.avf4j.kvm.ioctl.Cpuid;
import io.github.avf4j.linux.NativeBuffer;
import org.junit.jupiter.api.Test;

class CpuidTableTest {
  private final NativeBuffer supported = NativeBuffer.allocate(8 + 8 * Cpuid.ENTRY_SIZE);

  @Test
  void numbersTheVcpuAndItsSocket() {
    add(0x1, 0, 0x800F82, 0xAABBCCDD, 0, 0);
    NativeBuffer table = CpuidTable.of(supported, 2, 3, true);
    int at = find(table, 0x1, 0);
    assertThat(table.bytes().getInt(at + Cpuid.EBX)).isEqualTo(0x020408DD);
    assertThat(table.bytes().getInt(at + Cpuid.ECX)).isEqualTo(1 << 31 | 1 << 24);
    assertThat(table.bytes().getInt(at + Cpuid.EDX)).isEqualTo(1 << 28);
    assertThat(supported.bytes().getInt(8 + Cpuid.EBX)).as("not changed").isEqualTo(0xAABBCCDD);
  }

  @Test
  void hidesTheTimerThatKvmLacksAndThreadsThatAreNotThere() {
    add(0x1, 0, 0, 0, 1 << 24 | 1 << 15, 1 << 28);
    NativeBuffer table = CpuidTable.of(supported, 0, 1, false);
    int at = find(table, 0x1, 0);
    assertThat(table.bytes().getInt(at + Cpuid.ECX)).isEqualTo(1 << 31);
    assertThat(table.bytes().getInt(at + Cpuid.EDX)).isZero();
    assertThat(table.bytes().getInt(at + Cpuid.EBX) >> 16 & 0xFF).isEqualTo(1);
  }

  @Test
  void completesTheTopologyLeaf() {
    add(0xB, 0, 0, 0, 0, 0);
    NativeBuffer table = CpuidTable.of(supported, 5, 6, true);
    int core = find(table, 0xB, 1);
    assertThat(table.bytes().getInt(core + Cpuid.EAX)).as("shift").isEqualTo(3);
    assertThat(table.bytes().getInt(core + Cpuid.EBX)).as("vCPUs").isEqualTo(6);
    assertThat(table.bytes().getInt(core + Cpuid.ECX)).isEqualTo(0x201);
    assertThat(table.bytes().getInt(core + Cpuid.EDX)).as("x2APIC id").isEqualTo(5);
    int end = find(table, 0xB, 2);
    assertThat(table.bytes().getInt(end + Cpuid.EBX)).isZero();
    assertThat(table.bytes().getInt(0)).isEqualTo(3);
  }

  @Test
  void sharesTheLastCacheOnly() {
    add(0x4, 1, 1 << 5 | 1 | 0xFC000000, 0, 0, 0);
    add(0x4, 3, 3 << 5 | 3, 0, 0, 0);
    NativeBuffer table = CpuidTable.of(supported, 0, 4, true);
    assertThat(table.bytes().getInt(find(table, 0x4, 1) + Cpuid.EAX)).isEqualTo(3 << 26 | 0x21);
    assertThat(table.bytes().getInt(find(table, 0x4, 3) + Cpuid.EAX))
        .isEqualTo(3 << 26 | 3 << 14 | 0x63);
  }

  private void add(int function, int index, int eax, int ebx, int ecx, int edx) {
    int count = supported.bytes().getInt(0);
    int at = Cpuid.ENTRIES + count * Cpuid.ENTRY_SIZE;
    supported.bytes().putInt(at + Cpuid.FUNCTION, function).putInt(at + Cpuid.INDEX, index);
    supported.bytes().putInt(at + Cpuid.EAX, eax).putInt(at + Cpuid.EBX, ebx);
    supported.bytes().putInt(at + Cpuid.ECX, ecx).putInt(at + Cpuid.EDX, edx);
    supported.bytes().putInt(0, count + 1);
  }

  private static int find(NativeBuffer table, int function, int index) {
    for (int i = 0; i < table.bytes().getInt(0); i++) {
      int at = Cpuid.ENTRIES + i * Cpuid.ENTRY_SIZE;
      if (table.bytes().getInt(at) == function && table.bytes().getInt(at + Cpuid.INDEX) == index) {
        return at;
      }
    }
    throw new AssertionError("no entry " + function + '.' + index);
  }
}
