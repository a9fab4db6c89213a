package io.github.avf4j.virtio.vsock;

import io.github.avf4j.spi.VsockHost;
import io.github.avf4j.virtio.ConfigSpace;
import io.github.avf4j.virtio.InterruptLine;
import io.github.avf4j.virtio.VirtioDevice;
import io.github.avf4j.virtio.queue.Virtqueue;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * A vsock device (virtio 1.2, section 5.10): streams between the host's program and the guest.
 *
 * <p>Queue 0 (rx) takes packets to the guest, queue 1 (tx) those of the guest; queue 2 (event) is
 * not used, as the guest's address never changes. Streams only; no feature bits of its own.
 *
 * <p>{@link #host()} may be used before the driver is up: a connection then waits for it. A reset
 * by the driver ends all connections but not the listeners; {@link #close()} ends both. What the
 * guest sent before either may still be read. No method waits for the guest or the host's program,
 * except those of {@link #host()} that say so. Thread-safe.
 */
public final class VsockDevice implements VirtioDevice {
  private static final int DEVICE_ID = 19;
  private static final int RX = 0;
  private static final int TX = 1;
  private static final int QUEUES = 3;
  private static final int EVENT_QUEUE_SIZE = 8;

  private final VsockConfig config;
  private final byte[] configSpace;
  private final Muxer muxer;
  private final HostEnd host;

  /** Makes a device that no driver has found yet. */
  public VsockDevice(VsockConfig config) {
    this.config = config;
    configSpace =
        ByteBuffer.allocate(Long.BYTES)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putLong(config.cid().value())
            .array();
    muxer = new Muxer(config);
    host = new HostEnd(muxer);
  }

  /** Returns the host's end. */
  public VsockHost host() {
    return host;
  }

  @Override
  public int deviceId() {
    return DEVICE_ID;
  }

  @Override
  public long features() {
    return 0;
  }

  @Override
  public int queueCount() {
    return QUEUES;
  }

  @Override
  public int maxQueueSize(int queue) {
    return queue == RX || queue == TX ? config.queueSize() : EVENT_QUEUE_SIZE;
  }

  @Override
  public int readConfig(int offset, int width) {
    return ConfigSpace.read(configSpace, offset, width);
  }

  @Override
  public void activate(@Nullable Virtqueue[] queues, long features, InterruptLine interrupts) {
    muxer.activate(at(queues, RX), at(queues, TX), interrupts);
  }

  private static @Nullable Virtqueue at(@Nullable Virtqueue[] queues, int index) {
    return index < queues.length ? queues[index] : null;
  }

  @Override
  public void queueNotified(int queue) {
    if (queue == RX) {
      muxer.roomMade();
    } else if (queue == TX) {
      muxer.serve();
    }
  }

  @Override
  public void reset() {
    muxer.reset();
  }

  @Override
  public void close() {
    muxer.end();
  }

  @Override
  public String toString() {
    return "vsock device of guest " + config.cid();
  }
}
