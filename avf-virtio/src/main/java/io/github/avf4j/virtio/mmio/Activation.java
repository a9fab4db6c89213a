package io.github.avf4j.virtio.mmio;

import io.github.avf4j.virtio.InterruptLine;
import io.github.avf4j.virtio.queue.Virtqueue;
import org.jspecify.annotations.Nullable;

/**
 * The queues of a device from DRIVER_OK to the next reset, and its interrupt for as long.
 * Thread-safe.
 */
final class Activation implements InterruptLine {
  private final InterruptState interrupts;
  private final @Nullable Virtqueue[] queues;
  private volatile boolean stopped;

  Activation(InterruptState interrupts, @Nullable Virtqueue[] queues) {
    this.interrupts = interrupts;
    this.queues = queues;
  }

  /** Returns a new array of the queues; null where the driver set none up. */
  @Nullable Virtqueue[] queues() {
    return queues.clone();
  }

  /** Says whether a ring broke a rule. */
  boolean isBroken() {
    for (Virtqueue queue : queues) {
      if (queue != null && queue.broken()) {
        return true;
      }
    }
    return false;
  }

  /** Lets the queues run empty and drops all further interrupts. */
  void stop() {
    stopped = true;
    for (Virtqueue queue : queues) {
      if (queue != null) {
        queue.stop();
      }
    }
  }

  @Override
  public void queueUsed(int queue) {
    if (!stopped) {
      interrupts.usedBuffer();
    }
  }

  @Override
  public void configChanged() {
    if (!stopped) {
      interrupts.configChange();
    }
  }
}
