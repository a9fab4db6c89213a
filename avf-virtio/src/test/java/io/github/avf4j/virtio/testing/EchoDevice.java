package io.github.avf4j.virtio.testing;

import io.github.avf4j.virtio.ConfigSpace;
import io.github.avf4j.virtio.InterruptLine;
import io.github.avf4j.virtio.QueueService;
import io.github.avf4j.virtio.VirtioDevice;
import io.github.avf4j.virtio.queue.DescriptorChain;
import io.github.avf4j.virtio.queue.Virtqueue;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A device that writes back what it reads, and records what its transport does to it. Thread-safe
 * as {@link VirtioDevice} says.
 */
public final class EchoDevice implements VirtioDevice {
  /** Its own feature bits. */
  public static final long FEATURES = 0x5;

  /** Its queues. */
  public static final int QUEUES = 3;

  /** The greatest size of each. */
  public static final int QUEUE_SIZE = 16;

  private static final byte[] CONFIG = {1, 2, 3, 4, 5};

  private final List<String> events = new ArrayList<>();
  private @Nullable Virtqueue[] queues = new Virtqueue[0];
  private @Nullable InterruptLine interrupts;
  private @Nullable RuntimeException failure;
  private Consumer<DescriptorChain> beforeEcho = chain -> {};

  /** Returns what happened so far, in order. */
  public List<String> events() {
    return events;
  }

  /** Lets every later call of activate, queueNotified and close throw. */
  public void failWith(RuntimeException exception) {
    failure = exception;
  }

  /** Lets {@code hook} see each chain before it is echoed. */
  public void beforeEcho(Consumer<DescriptorChain> hook) {
    beforeEcho = hook;
  }

  /** Returns the interrupt of the current or last activation. */
  public @Nullable InterruptLine interrupts() {
    return interrupts;
  }

  /** Returns the queues of the current or last activation. */
  public @Nullable Virtqueue[] queues() {
    return queues;
  }

  @Override
  public int deviceId() {
    return 42;
  }

  @Override
  public long features() {
    return FEATURES;
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
    return ConfigSpace.read(CONFIG, offset, width);
  }

  @Override
  public void writeConfig(int offset, int width, int value) {
    events.add("config " + offset + " " + width + " " + value);
  }

  @Override
  public void activate(@Nullable Virtqueue[] newQueues, long features, InterruptLine line) {
    events.add("activate " + Long.toHexString(features));
    queues = newQueues;
    interrupts = line;
    fail();
  }

  @Override
  public void queueNotified(int queue) {
    events.add("notified " + queue);
    fail();
    Virtqueue served = queues[queue];
    InterruptLine line = interrupts;
    if (served != null && line != null) {
      QueueService.drain(served, line, this::echo);
    }
  }

  private void fail() {
    if (failure != null) {
      throw failure;
    }
  }

  private int echo(DescriptorChain chain) {
    beforeEcho.accept(chain);
    int done = 0;
    while (chain.readRemaining() > 0 && chain.writeRemaining() > 0) {
      chain.writeByte(chain.readByte());
      done++;
    }
    return done;
  }

  @Override
  public void reset() {
    events.add("reset");
  }

  @Override
  public void close() {
    events.add("close");
    fail();
  }
}
