package io.github.avf4j.qemu.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.avf4j.qemu.process.TscMeter.Look;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class TscMeterTest {
  @Test
  void findsTheLineThatTheFreshestLooksMake() {
    SplittableRandom random = new SplittableRandom(3);
    List<Look> looks = new ArrayList<>();
    for (long nanos = 0; nanos < 300_000_000; nanos += 1_000_000) {
      // Two looks of three are up to 12 ms old.
      long age = random.nextInt(3) == 0 ? random.nextLong(3_000) : random.nextLong(12_000_000);
      looks.add(new Look(nanos, Math.round(2.1 * (nanos - age)) + 50_000_000));
    }
    assertThat(TscMeter.kilohertz(looks)).isCloseTo(2_100_000, within(400L));
  }

  @Test
  void saysNothingOfAGuestThatDoesNotRun() {
    assertThat(TscMeter.kilohertz(List.of())).isZero();
    assertThat(TscMeter.kilohertz(List.of(new Look(0, 0)))).isZero();
    assertThat(TscMeter.kilohertz(List.of(new Look(0, 0), new Look(5, 0)))).isZero();
    assertThat(TscMeter.kilohertz(List.of(new Look(5, 0), new Look(5, 7)))).isZero();
  }
}
