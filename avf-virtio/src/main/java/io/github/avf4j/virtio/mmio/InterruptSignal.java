package io.github.avf4j.virtio.mmio;

/** Injects a device's interrupt into the guest; an irqfd, as a rule. Thread-safe. */
@FunctionalInterface
public interface InterruptSignal {
  /** Raises the interrupt once (an edge). Must not block or throw. */
  void raise();
}
