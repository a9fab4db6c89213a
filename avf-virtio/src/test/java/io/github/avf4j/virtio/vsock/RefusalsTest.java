package io.github.avf4j.virtio.vsock;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class RefusalsTest {
  private final Refusals refusals = new Refusals();

  @Test
  void keepsTheOrderWhileItGrowsAndWraps() {
    long added = 0;
    long removed = 0;
    for (int round = 0; round < 50; round++) {
      for (int i = 0; i < 30; i++) {
        refusals.add(added, (int) (added++ % 3));
      }
      for (int i = 0; i < 25; i++) {
        assertThat(refusals.key()).isEqualTo(removed);
        assertThat(refusals.type()).isEqualTo(removed++ % 3);
        refusals.remove();
      }
    }
  }

  @Test
  void dropsWhatIsBeyondItsBound() {
    for (int i = 0; i < 100_000; i++) {
      refusals.add(i, 1);
    }
    assertThat(refusals.size()).isEqualTo(2048);
    assertThat(refusals.isHigh()).isTrue();
    refusals.clear();
    assertThat(refusals.isEmpty()).isTrue();
  }
}
