package io.github.avf4j.virtio;

import io.github.avf4j.virtio.queue.DescriptorChain;
import io.github.avf4j.virtio.queue.Virtqueue;
import io.github.avf4j.virtio.queue.VirtqueueException;

/** Serves a queue whose every chain can be answered at once. Confined to the queue's thread. */
public final class QueueService {
  private QueueService() {}

  /** Answers one chain. */
  @FunctionalInterface
  public interface Handler {
    /**
     * Works on {@code chain} and leaves it uncompleted.
     *
     * @return how many bytes were written to its start
     * @throws VirtqueueException if the chain has too little to read or to write; it is then given
     *     back with length 0
     */
    int handle(DescriptorChain chain);
  }

  /**
   * Answers all that is in {@code queue}, until it is empty and the driver's next chain will be
   * notified. Raises an interrupt after each answer that the driver wants to hear of at once.
   */
  public static void drain(Virtqueue queue, InterruptLine interrupts, Handler handler) {
    do {
      queue.disableNotifications();
      DescriptorChain chain;
      while ((chain = queue.poll()) != null) {
        queue.complete(chain, answer(chain, handler));
        signal(queue, interrupts);
      }
    } while (queue.enableNotifications());
    // poll() may have given back bad chains.
    signal(queue, interrupts);
  }

  private static int answer(DescriptorChain chain, Handler handler) {
    try {
      return handler.handle(chain);
    } catch (VirtqueueException e) {
      return 0;
    }
  }

  /** Raises an interrupt for {@code queue} if its driver wants one for what was completed. */
  public static void signal(Virtqueue queue, InterruptLine interrupts) {
    if (queue.interruptNeeded()) {
      interrupts.queueUsed(queue.index());
    }
  }
}
