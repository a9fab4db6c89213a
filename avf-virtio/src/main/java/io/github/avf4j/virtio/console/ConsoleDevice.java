package io.github.avf4j.virtio.console;

import io.github.avf4j.spi.ByteSink;
import io.github.avf4j.virtio.ConfigSpace;
import io.github.avf4j.virtio.InterruptLine;
import io.github.avf4j.virtio.QueueService;
import io.github.avf4j.virtio.VirtioDevice;
import io.github.avf4j.virtio.queue.DescriptorChain;
import io.github.avf4j.virtio.queue.Virtqueue;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A console with one port (virtio 1.2, section 5.3).
 *
 * <p>Output is given to the {@link ByteSink} on the thread that calls {@link #queueNotified}, in
 * the order in which the guest wrote it. Input is taken by {@link #input()} on any thread.
 * Thread-safe as {@link VirtioDevice} says.
 */
public final class ConsoleDevice implements VirtioDevice {
  private static final Logger LOG = LoggerFactory.getLogger(ConsoleDevice.class);
  private static final int DEVICE_ID = 3;
  private static final int RECEIVE = 0;
  private static final int TRANSMIT = 1;
  private static final int QUEUES = 2;
  private static final int QUEUE_SIZE = 64;
  private static final int CONFIG_LENGTH = 12;
  private static final int PIECE = 4096;
  private static final long FEATURE_SIZE = 1;

  private final ByteSink output;
  private final ConsoleInput input;
  private final long features;
  private final byte[] configSpace;
  private final byte[] piece = new byte[PIECE];
  private @Nullable Virtqueue transmit;
  private @Nullable InterruptLine interrupts;
  private boolean sinkFailed;

  /** Makes a console. */
  public ConsoleDevice(ConsoleConfig config) {
    output = config.output();
    input = new ConsoleInput((int) config.inputBuffer().bytes());
    features = config.size().isPresent() ? FEATURE_SIZE : 0;
    ByteBuffer space = ByteBuffer.allocate(CONFIG_LENGTH).order(ByteOrder.LITTLE_ENDIAN);
    config
        .size()
        .ifPresent(size -> space.putShort((short) size.columns()).putShort((short) size.rows()));
    space.putInt(4, 1);
    configSpace = space.array();
  }

  /**
   * Returns the stream to the guest, always the same. A write blocks while the guest does not read
   * and the buffer is full; it throws {@link java.io.IOException} once the device is closed, and
   * {@link java.io.InterruptedIOException} on an interrupted thread. Thread-safe.
   */
  public OutputStream input() {
    return input;
  }

  @Override
  public int deviceId() {
    return DEVICE_ID;
  }

  @Override
  public long features() {
    return features;
  }

  @Override
  public int queueCount() {
    return QUEUES;
  }

  @Override
  public int maxQueueSize(int queue) {
    return QUEUE_SIZE;
  }

  @Override
  public int readConfig(int offset, int width) {
    return ConfigSpace.read(configSpace, offset, width);
  }

  @Override
  public void activate(@Nullable Virtqueue[] queues, long negotiated, InterruptLine line) {
    interrupts = line;
    transmit = queues[TRANSMIT];
    Virtqueue receive = queues[RECEIVE];
    if (receive != null) {
      input.attach(receive, line);
    }
  }

  @Override
  public void queueNotified(int queue) {
    Virtqueue printed = transmit;
    InterruptLine line = interrupts;
    if (queue == RECEIVE) {
      input.pump();
    } else if (queue == TRANSMIT && printed != null && line != null) {
      QueueService.drain(printed, line, this::print);
    }
  }

  private int print(DescriptorChain chain) {
    // A chain may claim gigabytes by naming the same memory often: look whether to go on.
    while (chain.readRemaining() > 0 && !chain.isAbandoned()) {
      int length = chain.read(piece, 0, piece.length);
      try {
        output.write(piece, 0, length);
      } catch (RuntimeException e) {
        if (!sinkFailed) {
          sinkFailed = true;
          LOG.error("the sink of a console's output failed; what it does not take is lost", e);
        }
      }
    }
    return 0;
  }

  @Override
  public void reset() {
    input.detach();
    transmit = null;
    interrupts = null;
  }

  @Override
  public void close() {
    input.shut();
    transmit = null;
    interrupts = null;
  }
}
