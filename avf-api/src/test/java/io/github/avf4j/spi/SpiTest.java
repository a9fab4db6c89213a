package io.github.avf4j.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.BackendUnavailableException;
import io.github.avf4j.Cid;
import io.github.avf4j.CpuTopology;
import io.github.avf4j.DataSize;
import io.github.avf4j.Virtualization;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class SpiTest {
  private static MachineSpec.Builder spec() {
    return MachineSpec.builder()
        .name("a")
        .cid(new Cid(3))
        .cpuTopology(CpuTopology.oneCpu())
        .memory(DataSize.ofMebibytes(2))
        .kernel(Path.of("k"))
        .commandLine("");
  }

  @Test
  void specsDropOutputThatNobodyTakes() {
    MachineSpec spec = spec().build();
    assertThat(spec.serialOutput()).isSameAs(ByteSink.DISCARD);
    spec.consoleOutput().write(new byte[1], 0, 1);
  }

  @Test
  void specsRefuseWhatNoBackendCanMake() {
    assertThatThrownBy(() -> spec().memory(DataSize.ofBytes(4097)).build())
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("but was 4097 bytes");
    assertThatThrownBy(() -> spec().commandLine("ä").build())
        .isInstanceOf(IllegalStateException.class);
    MachineSpec.Builder disks = spec();
    for (int i = 0; i < 9; i++) {
      disks.addDisk(new DiskSpec(Path.of("d"), true, ""));
    }
    assertThatThrownBy(disks::build).hasMessage("disks must be at most 8 but were 9");
  }

  @Test
  void instanceIdsHave64BytesOrNone() {
    assertThat(spec().build().instanceId()).isEmpty();
    assertThat(spec().instanceId(new byte[64]).build().instanceId()).hasSize(64);
    assertThatThrownBy(() -> spec().instanceId(new byte[63]).build())
        .hasMessage("instanceId must have 64 bytes or none but had 63");
  }

  @Test
  void serialsAreShortAscii() {
    for (String serial : new String[] {"x".repeat(21), "ä"}) {
      assertThatThrownBy(() -> new DiskSpec(Path.of("d"), true, serial))
          .hasMessage(
              "a disk serial must be at most 20 ASCII characters but was \"" + serial + '"');
    }
  }

  @Test
  void saysWhatToAddWhenThereIsNoImplementation() {
    assertThatThrownBy(Virtualization::probe)
        .isInstanceOf(BackendUnavailableException.class)
        .hasMessageContaining("add the dependency io.github.avf4j:avf-service");
  }
}
