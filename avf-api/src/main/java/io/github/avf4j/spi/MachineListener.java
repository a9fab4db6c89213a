package io.github.avf4j.spi;

import io.github.avf4j.StopReason;

/** Hears of a machine's life on the machine's own threads; must not block. */
public interface MachineListener {
  /**
   * The guest's first instruction is about to run.
   *
   * @param nanoTime {@link System#nanoTime()} of that moment
   */
  void entered(long nanoTime);

  /**
   * The machine has stopped: no vCPU runs any more. Comes exactly once after {@link Machine#start}
   * returned normally; resources are still held until {@link Machine#close()}.
   */
  void stopped(StopReason reason);
}
