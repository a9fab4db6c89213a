package io.github.avf4j.kvm.boot.arm64;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.avf4j.kvm.device.MmioDevice;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class RtcTest {
  private final Instant now = Instant.ofEpochSecond(4_000_000_000L);

  @Test
  void showsTheTimeAsAnUnsignedNumberOfSeconds() {
    MmioDevice rtc = Rtc.PL031.device(() -> now);
    assertThat(rtc.readMmio(0, 4)).isEqualTo(4_000_000_000L);
    rtc.writeMmio(8, 4, 0);
    assertThat(rtc.readMmio(0, 4)).isEqualTo(4_000_000_000L);
    assertThat(rtc.readMmio(0, 8)).isZero();
    assertThat(rtc.readMmio(0xC, 4)).as("enabled").isEqualTo(1);
  }

  @Test
  void identifiesItselfByteByByte() {
    assertThat(identification(Rtc.PL031)).containsExactly(0x31, 0x10, 4, 0, 0xD, 0xF0, 5, 0xB1);
    assertThat(identification(Rtc.PL030)).containsExactly(0x30, 0x10, 4, 0, 0xD, 0xF0, 5, 0xB1);
    assertThat(Rtc.PL030.peripheralId()).isEqualTo(0x00041030);
    assertThat(Rtc.PL031.compatible()).isEqualTo("arm,pl031");
  }

  private long[] identification(Rtc kind) {
    MmioDevice rtc = kind.device(() -> now);
    long[] bytes = new long[8];
    for (int i = 0; i < 8; i++) {
      bytes[i] = rtc.readMmio(0xFE0 + 4 * i, 4);
    }
    return bytes;
  }
}
