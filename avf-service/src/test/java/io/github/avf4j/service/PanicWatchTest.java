package io.github.avf4j.service;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class PanicWatchTest {
  private final List<String> heard = new ArrayList<>();
  private final LineSink serial =
      new LineSink(
          new PanicWatch(
              new PanicWatch.Listener() {
                @Override
                public void panicked(String message) {
                  heard.add(message);
                }

                @Override
                public void halted() {
                  heard.add("halted");
                }
              }));

  private void print(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    for (byte value : bytes) {
      serial.write(new byte[] {value}, 0, 1);
    }
  }

  @Test
  void hearsTheFirstPanicAndItsEnd() {
    print("[    1.0] Kernel panic - not syncing: VFS: no root\r\n[    1.1] CPU: 0 PID: 1\r\n");
    print("[    1.2] Kernel panic - not syncing: again\r\n");
    print("[    1.3] ---[ end Kernel panic - not syncing: VFS: no root ]---\r\n");
    assertThat(heard).containsExactly("Kernel panic - not syncing: VFS: no root", "halted");
  }

  @Test
  void hearsThePanicOfAnArm64Kernel() {
    print("[    3.167431] sysrq: Trigger a crash\r\n");
    print("[    3.168878] Kernel panic - not syncing: sysrq triggered crash\r\n");
    print("[    3.169724] Hardware name: linux,dummy-virt (DT)\r\n");
    print("[    3.170065] Call trace:\r\n[    3.170382]  dump_backtrace+0xe4/0x140\r\n");
    print("[    3.174524] Memory Limit: none\r\n");
    assertThat(heard).containsExactly("Kernel panic - not syncing: sysrq triggered crash");
  }

  @Test
  void takesTheEndForThePanicWhenItsLineWasLost() {
    print("---[ end Kernel panic - not syncing: oh ]---\n");
    assertThat(heard).containsExactly("Kernel panic - not syncing: oh", "halted");
  }

  @Test
  void hearsNothingInOrdinaryOutput() {
    print("panic=-1\nKernel panic\n---[ end trace ]---\nnot syncing\n");
    assertThat(heard).isEmpty();
  }

  @Test
  void survivesLinesWithoutEnd() {
    print("x".repeat(10_000) + "Kernel panic - not syncing: hidden\n");
    print("Kernel panic - not syncing: " + "y".repeat(10_000) + "\n");
    assertThat(heard).singleElement().asString().hasSize(LineSink.MAX_LINE);
  }

  @Test
  void replacesControlCharacters() {
    print("Kernel panic - not syncing: a\u001b[2Jb\tc\n");
    assertThat(heard).containsExactly("Kernel panic - not syncing: a [2Jb c");
  }
}
