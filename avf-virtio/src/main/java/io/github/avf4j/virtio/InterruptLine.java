package io.github.avf4j.virtio;

/** A device's interrupt. Thread-safe; never blocks. */
public interface InterruptLine {
  /** Tells the driver that buffers of {@code queue} were used. */
  void queueUsed(int queue);

  /** Tells the driver that the configuration space has changed. */
  void configChanged();
}
