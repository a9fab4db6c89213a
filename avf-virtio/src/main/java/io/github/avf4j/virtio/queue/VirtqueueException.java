package io.github.avf4j.virtio.queue;

/** A virtqueue's geometry is not legal, or a device asked a chain for more than it has. */
public final class VirtqueueException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** Makes an exception that says what is wrong. */
  public VirtqueueException(String message) {
    super(message);
  }
}
