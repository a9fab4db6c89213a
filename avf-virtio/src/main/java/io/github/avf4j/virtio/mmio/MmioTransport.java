package io.github.avf4j.virtio.mmio;

import io.github.avf4j.virtio.VirtioDevice;
import io.github.avf4j.virtio.memory.GuestMemory;

/** A virtio device behind the registers of virtio-mmio version 2. Thread-safe. */
public final class MmioTransport implements AutoCloseable {
  private final VirtioDevice device;

  /** Makes a transport for {@code device}, which it owns from now on. */
  public MmioTransport(VirtioDevice device, GuestMemory memory, InterruptSignal signal) {
    this.device = device;
  }

  /** Reads a register; any vCPU thread. */
  public int read(int offset, int width) {
    return 0;
  }

  /** Writes a register; any vCPU thread. */
  public void write(int offset, int width, int value) {}

  /** The driver notified {@code queue} through an ioeventfd; the event-loop thread. */
  public void notifyQueue(int queue) {}

  @Override
  public void close() {
    device.close();
  }
}
