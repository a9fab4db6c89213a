package io.github.avf4j.virtio.queue;

/**
 * A virtqueue's geometry is not legal, or a device asked a chain for more than it has, or the guest
 * does not let the host see a chain's memory.
 */
public final class VirtqueueException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** Makes an exception that says what is wrong. */
  public VirtqueueException(String message) {
    super(message);
  }

  /** Makes an exception that says what is wrong, and what led to it. */
  public VirtqueueException(String message, Throwable cause) {
    super(message, cause);
  }
}
