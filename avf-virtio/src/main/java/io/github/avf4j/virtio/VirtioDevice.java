package io.github.avf4j.virtio;

import io.github.avf4j.virtio.queue.Virtqueue;
import org.jspecify.annotations.Nullable;

/**
 * A virtio device as a transport drives it.
 *
 * <p>All methods but {@link #close()} and {@link #readConfig}/{@link #writeConfig} are called one
 * at a time; a transport serialises them. Between {@link #activate} and {@link #reset} or {@link
 * #close} the device may also work on its queues from threads of its own.
 */
public interface VirtioDevice extends AutoCloseable {
  /** Returns the device id of virtio 1.2, section 5. */
  int deviceId();

  /** Returns the device-specific feature bits offered; the transport adds its own. */
  long features();

  /** Returns the number of queues. */
  int queueCount();

  /** Returns the greatest size of a queue, a power of two. */
  int maxQueueSize(int queue);

  /**
   * Reads {@code width} bytes (1, 2, 4) of configuration space, little-endian; zero beyond its end.
   * May be called on any vCPU thread at any time.
   */
  int readConfig(int offset, int width);

  /** Writes configuration space; ignored where nothing is writable. */
  default void writeConfig(int offset, int width, int value) {}

  /**
   * The driver is up (DRIVER_OK).
   *
   * @param queues the queues by index; null where the driver did not set one up
   * @param features all feature bits that were negotiated
   * @param interrupts the device's interrupt
   */
  void activate(@Nullable Virtqueue[] queues, long features, InterruptLine interrupts);

  /** The driver has put something into a queue. */
  void queueNotified(int queue);

  /** The driver resets the device: forget the queues; on return none is touched any more. */
  void reset();

  /** Ends the device for good; on return no queue is touched any more. Idempotent. */
  @Override
  void close();
}
