package io.github.avf4j.virtio.mmio;

import java.util.concurrent.atomic.AtomicInteger;

/** The interrupt status register and the configuration generation. Thread-safe; never blocks. */
final class InterruptState {
  private static final int USED_BUFFER = 1;
  private static final int CONFIG_CHANGE = 2;

  private final InterruptSignal signal;
  private final AtomicInteger status = new AtomicInteger();
  private final AtomicInteger generation = new AtomicInteger();

  InterruptState(InterruptSignal signal) {
    this.signal = signal;
  }

  int status() {
    return status.get();
  }

  int generation() {
    return generation.get();
  }

  void acknowledge(int bits) {
    status.accumulateAndGet(bits, (old, ack) -> old & ~ack);
  }

  void clear() {
    status.set(0);
  }

  void usedBuffer() {
    raise(USED_BUFFER);
  }

  void configChange() {
    // Before the interrupt: a driver that read half of the old configuration must see that.
    generation.incrementAndGet();
    raise(CONFIG_CHANGE);
  }

  private void raise(int bit) {
    // The bit comes first: a driver that takes the interrupt and finds no bit calls it spurious.
    status.accumulateAndGet(bit, (old, set) -> old | set);
    signal.raise();
  }
}
