package io.github.avf4j.virtio.rng;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.DataSize;
import io.github.avf4j.virtio.testing.ScriptedDriver;
import io.github.avf4j.virtio.testing.Segment;
import io.github.avf4j.virtio.testing.Used;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class RngDeviceTest {
  private long now;
  private final RngConfig config =
      RngConfig.builder()
          .requestLimit(DataSize.ofBytes(10_000))
          .bytesPerSecond(DataSize.ofBytes(20_000))
          .build();
  private final ScriptedDriver driver =
      new ScriptedDriver(
          new RngDevice(config, bytes -> Arrays.fill(bytes, (byte) 0xaa), () -> now));

  @AfterEach
  void close() {
    driver.close();
  }

  @Test
  void fillsTheBuffersOfARequest() {
    driver.start();
    Segment a = driver.writable(5000);
    Segment b = driver.writable(3);
    assertThat(driver.exchange(0, a, b)).isEqualTo(new Used(0, 5003));
    assertThat(driver.bytes(a)).containsOnly(0xaa);
    assertThat(driver.bytes(b)).containsOnly(0xaa);
  }

  @Test
  void drawsFromTheHost() {
    try (ScriptedDriver real = new ScriptedDriver(new RngDevice(RngConfig.builder().build()))) {
      real.start();
      Segment a = real.writable(64);
      Segment b = real.writable(64);
      assertThat(real.exchange(0, a).length()).isEqualTo(64);
      assertThat(real.exchange(0, b).length()).isEqualTo(64);
      assertThat(real.bytes(a)).isNotEqualTo(real.bytes(b)).isNotEqualTo(new byte[64]);
    }
  }

  @Test
  void capsARequest() {
    driver.start();
    Segment large = driver.writable(100_000);
    assertThat(driver.exchange(0, large).length()).isEqualTo(10_000);
    assertThat(driver.memory().loadByte(large.address() + 9_999)).isEqualTo((byte) 0xaa);
    assertThat(driver.memory().loadByte(large.address() + 10_000)).isZero();
  }

  @Test
  void givesLittleBeyondTheRateAndInFullAfterAWhile() {
    driver.start();
    Segment buffer = driver.writable(10_000);
    assertThat(driver.exchange(0, buffer).length()).isEqualTo(10_000);
    assertThat(driver.exchange(0, buffer).length()).isEqualTo(10_000);
    assertThat(driver.exchange(0, buffer).length()).isEqualTo(RngDevice.MINIMUM);
    now += 100_000_000;
    assertThat(driver.exchange(0, buffer).length()).isEqualTo(2_000);
    now += 3_600_000_000_000L;
    assertThat(driver.exchange(0, buffer).length()).isEqualTo(10_000);
    assertThat(driver.exchange(0, buffer).length()).isEqualTo(10_000);
    assertThat(driver.exchange(0, buffer).length()).isEqualTo(RngDevice.MINIMUM);
  }

  @Test
  void capsARequestThatNamesTheSameBufferInEveryDescriptor() {
    driver.start();
    Segment[] segments = new Segment[driver.ring(0).size()];
    Arrays.fill(segments, driver.writable(1 << 20));
    assertThat(driver.exchange(0, segments).length()).isEqualTo(10_000);
  }

  @Test
  void survivesARequestForItsOwnRings() {
    driver.start();
    driver.ring(0).add(new Segment(driver.ring(0).desc(), 10_000, true));
    driver.kick(0);
    assertThat(driver.read(0x70) & ~0x40).isEqualTo(15);
    driver.start();
    assertThat(driver.exchange(0, driver.writable(4)).length()).isEqualTo(4);
  }

  @Test
  void givesNothingForAReadableRequest() {
    driver.start();
    assertThat(driver.exchange(0, driver.readable(new byte[10]))).isEqualTo(new Used(0, 0));
  }

  @Test
  void refusesLimitsThatMakeNoSense() {
    assertThatThrownBy(() -> RngConfig.builder().requestLimit(DataSize.ofBytes(63)).build())
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("63");
    assertThatThrownBy(() -> RngConfig.builder().bytesPerSecond(DataSize.ofBytes(0)).build())
        .isInstanceOf(IllegalStateException.class);
  }
}
