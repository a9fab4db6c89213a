package io.github.avf4j.virtio.rng;

import io.github.avf4j.virtio.InterruptLine;
import io.github.avf4j.virtio.QueueService;
import io.github.avf4j.virtio.VirtioDevice;
import io.github.avf4j.virtio.queue.DescriptorChain;
import io.github.avf4j.virtio.queue.Virtqueue;
import java.security.SecureRandom;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * An entropy device (virtio 1.2, section 5.4): fills the driver's buffers from the host's {@link
 * SecureRandom}.
 *
 * <p>Requests are served on the thread that calls {@link #queueNotified}; none blocks. Confined to
 * the transport's lock.
 */
public final class RngDevice implements VirtioDevice {
  /** How many bytes a request gets, room given, however many were drawn before. */
  public static final int MINIMUM = 64;

  private static final int DEVICE_ID = 4;
  private static final int QUEUE_SIZE = 64;
  private static final int PIECE = 4096;
  private static final long NANOS = 1_000_000_000L;

  private final Consumer<byte[]> source;
  private final LongSupplier nanoTime;
  private final long requestLimit;
  private final long bytesPerSecond;
  private final byte[] piece = new byte[PIECE];
  private final byte[] smallPiece = new byte[MINIMUM];

  /** What may be drawn in full at {@link #refilled}; at most a second's worth. */
  private long budget;

  private long refilled;
  private @Nullable Virtqueue queue;
  private @Nullable InterruptLine interrupts;

  /** Makes a device that draws from a {@link SecureRandom} of its own. */
  public RngDevice(RngConfig config) {
    this(config, new SecureRandom()::nextBytes, System::nanoTime);
  }

  RngDevice(RngConfig config, Consumer<byte[]> source, LongSupplier nanoTime) {
    this.source = source;
    this.nanoTime = nanoTime;
    requestLimit = config.requestLimit().bytes();
    bytesPerSecond = config.bytesPerSecond().bytes();
    budget = bytesPerSecond;
    refilled = nanoTime.getAsLong();
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
    return 1;
  }

  @Override
  public int maxQueueSize(int queue) {
    return QUEUE_SIZE;
  }

  @Override
  public int readConfig(int offset, int width) {
    return 0;
  }

  @Override
  public void activate(@Nullable Virtqueue[] queues, long features, InterruptLine interrupts) {
    this.queue = queues[0];
    this.interrupts = interrupts;
  }

  @Override
  public void queueNotified(int index) {
    Virtqueue requests = queue;
    InterruptLine line = interrupts;
    if (requests != null && line != null) {
      QueueService.drain(requests, line, this::fill);
    }
  }

  private int fill(DescriptorChain chain) {
    refill();
    long wanted = Math.min(chain.writableLength(), requestLimit);
    int granted = (int) Math.min(wanted, Math.max(budget, MINIMUM));
    for (int left = granted; left > 0; ) {
      byte[] bytes = left > MINIMUM ? piece : smallPiece;
      source.accept(bytes);
      left -= chain.write(bytes, 0, Math.min(left, bytes.length));
    }
    budget = Math.max(0, budget - granted);
    return granted;
  }

  private void refill() {
    long now = nanoTime.getAsLong();
    long elapsed = Math.min(now - refilled, NANOS);
    long gained = elapsed * bytesPerSecond / NANOS;
    if (gained > 0) {
      budget = Math.min(bytesPerSecond, budget + gained);
      refilled = now;
    }
  }

  @Override
  public void reset() {
    queue = null;
    interrupts = null;
  }

  @Override
  public void close() {
    reset();
  }
}
