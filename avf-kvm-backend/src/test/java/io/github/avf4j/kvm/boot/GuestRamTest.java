package io.github.avf4j.kvm.boot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.virtio.memory.GuestMemory;
import io.github.avf4j.virtio.memory.GuestRange;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class GuestRamTest {
  private static final long BASE = 0x80000000L;
  private static final List<GuestRange> RANGES =
      List.of(new GuestRange(BASE, 2 << 20), new GuestRange(0x7FC00000L, 4 << 20));

  @Test
  void sharedRamIsAFileOfItsNameThatChildrenDoNotInherit() throws Exception {
    try (GuestRam ram = GuestRam.shared("avf-ram-hello", RANGES)) {
      assertThat(ram.size()).isEqualTo(6 << 20);
      List<String> maps = Files.readAllLines(Path.of("/proc/self/smaps"));
      int at = 0;
      while (!maps.get(at).contains("/memfd:avf-ram-hello")) {
        at++;
      }
      assertThat(maps.get(at)).contains(" rw-s ");
      assertThat(maps.subList(at, at + 40).stream().filter(line -> line.startsWith("VmFlags")))
          .first()
          .asString()
          .contains(" dc ");
    }
    assertThat(Files.readAllLines(Path.of("/proc/self/maps")))
        .noneMatch(line -> line.contains("avf-ram-hello"));
  }

  @Test
  void nobodyAccessesTheMemoryDirectlyAfterItWasForbidden() {
    try (GuestRam ram = GuestRam.shared("avf-ram-hello", RANGES)) {
      ram.direct().storeInt(BASE + 4096, 7);
      ram.forbidDirect();
      assertThatThrownBy(ram::direct).isInstanceOf(IllegalStateException.class);
      try (SharedPages pages = new SharedPages(ram)) {
        GuestMemory memory = GuestMemory.guarded(RANGES, pages);
        assertThat(memory.loadInt(BASE + 4096)).isEqualTo(7);
        memory.write(0x7FC00000L, ByteBuffer.wrap(new byte[100_000]));
        memory.storeShortRelease(BASE - 2, (short) 9);
        assertThat(memory.loadShortAcquire(BASE - 2)).isEqualTo((short) 9);
        assertThat(memory.loadInt(BASE - 2)).as("across ranges").isEqualTo(9);
      }
    }
  }

  @Test
  void overlaysMustLieInOneRange() {
    try (GuestRam ram = GuestRam.anonymous(RANGES)) {
      assertThatThrownBy(() -> ram.address(BASE - (5 << 20)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("1 bytes at 0x7fb00000 must be in one range of RAM");
      assertThat(ram.takesOverlays()).isTrue();
      assertThat(ram.address(BASE - 1)).isEqualTo(ram.address(BASE) + (6 << 20) - 1);
    }
  }
}
