package io.github.avf4j.virtio.vsock;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class CreditTest {
  private final Credit credit = new Credit(8192);

  @Test
  void givesNothingBeforeThePeerHasSaidWhatItHolds() {
    assertThat(credit.free()).isZero();
  }

  @Test
  void countsAcrossTheWrapOfBothCounters() {
    int forwarded = 0;
    for (int i = 0; i < 5; i++) {
      assertThat(credit.update(Integer.MAX_VALUE, forwarded)).isTrue();
      credit.sent(1 << 30);
      forwarded += 1 << 30;
    }
    assertThat(credit.update(1000, forwarded)).isTrue();
    assertThat(credit.free()).isEqualTo(1000);
    credit.sent(1000);
    assertThat(credit.free()).isZero();
  }

  @Test
  void takesAHugeBufferAsTheGreatestOfInt() {
    assertThat(credit.update(-1, 0)).isTrue();
    assertThat(credit.free()).isEqualTo(Integer.MAX_VALUE);
  }

  @Test
  void isZeroWhenThePeerShrinksItsBufferBelowWhatIsInFlight() {
    credit.update(1000, 0);
    credit.sent(900);
    credit.update(10, 0);
    assertThat(credit.free()).isZero();
  }

  @Test
  void ignoresAnOlderCountThatComesLate() {
    credit.update(100, 0);
    credit.sent(100);
    credit.update(100, 80);
    credit.update(100, 50);
    assertThat(credit.free()).isEqualTo(80);
  }

  @Test
  void findsOutAPeerThatForwardsWhatWasNotSent() {
    credit.update(100, 0);
    credit.sent(10);
    assertThat(credit.update(100, 11)).isFalse();
  }

  @Test
  void refusesMoreThanItHolds() {
    assertThat(credit.received(8000)).isTrue();
    assertThat(credit.received(193)).isFalse();
    credit.forwarded(1);
    assertThat(credit.received(193)).isTrue();
  }

  @Test
  void wantsAnUpdateWhenThePeerBelievesThatLessThanHalfIsFree() {
    credit.received(4000);
    credit.forwarded(4000);
    assertThat(credit.updateDue()).isFalse();
    credit.received(200);
    assertThat(credit.updateDue()).isTrue();
    assertThat(credit.tellForwarded()).isEqualTo(4000);
    assertThat(credit.updateDue()).isFalse();
  }

  @Test
  void tellsAPeerThatUsedUpASmallBufferOfALargerOne() {
    credit.tellForwarded();
    assertThat(credit.enlarge(1 << 18)).isFalse();
    credit.received(8192);
    credit.forwarded(8192);
    assertThat(credit.updateDue()).isTrue();
    credit.tellForwarded();
    assertThat(credit.updateDue()).isFalse();
  }
}
