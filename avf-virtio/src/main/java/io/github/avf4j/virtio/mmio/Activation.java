package io.github.avf4j.virtio.mmio;

import io.github.avf4j.virtio.InterruptLine;
import io.github.avf4j.virtio.memory.GuestMemory;
import io.github.avf4j.virtio.queue.Virtqueue;
import io.github.avf4j.virtio.queue.VirtqueueException;
import org.jspecify.annotations.Nullable;

/**
 * The queues of a device from DRIVER_OK to the next reset, and its interrupt for as long.
 * Thread-safe.
 */
final class Activation implements InterruptLine {
  private final InterruptState interrupts;
  private final @Nullable Virtqueue[] queues;
  private volatile boolean stopped;

  private Activation(InterruptState interrupts, @Nullable Virtqueue[] queues) {
    this.interrupts = interrupts;
    this.queues = queues;
  }

  /**
   * Makes the queues that a driver has set up.
   *
   * @param features what was negotiated
   * @throws VirtqueueException if one is not legal or two overlap
   */
  static Activation of(
      InterruptState interrupts, QueueRegisters[] registers, GuestMemory memory, long features) {
    @Nullable Virtqueue[] made = new Virtqueue[registers.length];
    for (int i = 0; i < registers.length; i++) {
      if (!registers[i].isReady()) {
        continue;
      }
      Virtqueue queue = registers[i].toVirtqueue(memory, features);
      for (int j = 0; j < i; j++) {
        Virtqueue other = made[j];
        if (other != null && queue.overlaps(other)) {
          throw new VirtqueueException("queues " + j + " and " + i + " must not overlap");
        }
      }
      made[i] = queue;
    }
    return new Activation(interrupts, made);
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
