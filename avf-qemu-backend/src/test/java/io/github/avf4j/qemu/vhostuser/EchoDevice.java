package io.github.avf4j.qemu.vhostuser;

import io.github.avf4j.virtio.InterruptLine;
import io.github.avf4j.virtio.VirtioDevice;
import io.github.avf4j.virtio.queue.DescriptorChain;
import io.github.avf4j.virtio.queue.Virtqueue;
import java.util.concurrent.Semaphore;

/** Gives every chain back with the first byte that it reads plus one. */
final class EchoDevice implements VirtioDevice {
  final Semaphore activations = new Semaphore(0);
  final Semaphore resets = new Semaphore(0);
  private Virtqueue[] queues = {};
  private InterruptLine interrupts;

  @Override
  public int deviceId() {
    return 19;
  }

  @Override
  public long features() {
    return 0;
  }

  @Override
  public int queueCount() {
    return 3;
  }

  @Override
  public int maxQueueSize(int queue) {
    return 256;
  }

  @Override
  public int readConfig(int offset, int width) {
    return offset < 8 ? offset + 1 : 0;
  }

  @Override
  public void activate(Virtqueue[] activated, long features, InterruptLine line) {
    queues = activated;
    interrupts = line;
    activations.release();
  }

  @Override
  public void queueNotified(int index) {
    Virtqueue queue = queues[index];
    for (DescriptorChain chain = queue.poll(); chain != null; chain = queue.poll()) {
      chain.writeByte((byte) (chain.readByte() + 1));
      queue.complete(chain, 1);
      if (queue.interruptNeeded()) {
        interrupts.queueUsed(index);
      }
    }
  }

  @Override
  public void reset() {
    queues = new Virtqueue[0];
    resets.release();
  }

  @Override
  public void close() {}
}
