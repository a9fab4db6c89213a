package io.github.avf4j.qemu.process;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.avf4j.spi.MachineSpec;
import org.junit.jupiter.api.Test;

class CommandLineTest {
  @Test
  void putsTheFrequencyInFront() {
    assertThat(CommandLine.withTsc("console=ttyS0 -- x", 2_100_000))
        .isEqualTo("tsc_early_khz=2100000 console=ttyS0 -- x");
  }

  @Test
  void keepsWhatTheCallerSaid() {
    assertThat(CommandLine.withTsc("tsc_early_khz=1 quiet", 2)).isEqualTo("tsc_early_khz=1 quiet");
  }

  @Test
  void addsNothingThatIsUnknownOrDoesNotFit() {
    String longest = "x".repeat(MachineSpec.MAX_COMMAND_LINE);
    assertThat(CommandLine.withTsc("quiet", 0)).isEqualTo("quiet");
    assertThat(CommandLine.withTsc("", 5)).isEmpty();
    assertThat(CommandLine.withTsc(longest, 5)).isEqualTo(longest);
  }
}
