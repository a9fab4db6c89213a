package io.github.avf4j.kvm.boot.x86;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class E820Test {
  @Test
  void mapsTwoMebibytes() {
    try (MachineMemory memory = new MachineMemory(2 << 20)) {
      assertThat(E820.of(memory))
          .containsExactly(
              new E820(0, 0x9FC00, E820.RAM),
              new E820(0x9FC00, 0x60400, E820.RESERVED),
              new E820(0x100000, 0x100000, E820.RAM));
    }
  }

  @Test
  void splitsMemoryAroundTheHole() {
    try (MachineMemory memory = new MachineMemory(5L << 30)) {
      assertThat(E820.of(memory))
          .containsExactly(
              new E820(0, 0x9FC00, E820.RAM),
              new E820(0x9FC00, 0x60400, E820.RESERVED),
              new E820(0x100000, 0xBFF00000L, E820.RAM),
              new E820(1L << 32, 2L << 30, E820.RAM));
      memory.guest().storeInt((6L << 30) - 4, 7);
      assertThat(memory.guest().loadInt((6L << 30) - 4)).isEqualTo(7);
      assertThat(memory.guest().contains(Layout.HOLE, 1)).isFalse();
    }
  }
}
