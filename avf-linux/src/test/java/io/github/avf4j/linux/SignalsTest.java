package io.github.avf4j.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class SignalsTest {
  @Test
  void kicksAThreadOutOfASystemCall() throws InterruptedException {
    int signal = Signals.installKick();
    assertThat(Signals.installKick()).isEqualTo(signal);
    AtomicInteger id = new AtomicInteger();
    AtomicInteger errno = new AtomicInteger();
    CountDownLatch ended = new CountDownLatch(1);
    NativeBuffer event = NativeBuffer.allocate(8);
    Thread sleeper =
        new Thread(
            () -> {
              id.set(Signals.currentThread());
              if (LibC.poll(event.address(), 0, 60_000) < 0) {
                errno.set(Errno.last());
              }
              ended.countDown();
            });
    sleeper.start();
    for (int i = 0; i < 1000 && !ended.await(10, TimeUnit.MILLISECONDS); i++) {
      if (id.get() != 0) {
        Signals.send(id.get(), signal);
      }
    }
    assertThat(ended.await(30, TimeUnit.SECONDS)).isTrue();
    assertThat(errno.get()).isEqualTo(Errno.EINTR);
  }
}
