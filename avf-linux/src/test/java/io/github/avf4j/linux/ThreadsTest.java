package io.github.avf4j.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

class ThreadsTest {
  @Test
  void waitsForALatchInSpiteOfAnInterruptAndKeepsThat() {
    CountDownLatch latch = new CountDownLatch(1);
    Thread opener = new Thread(latch::countDown);
    Thread.currentThread().interrupt();
    opener.start();
    Threads.awaitUninterruptibly(latch);
    assertThat(latch.getCount()).isZero();
    Threads.joinUninterruptibly(opener);
    assertThat(opener.isAlive()).isFalse();
    assertThat(Thread.interrupted()).isTrue();
  }
}
