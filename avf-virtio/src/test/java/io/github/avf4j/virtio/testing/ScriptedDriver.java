package io.github.avf4j.virtio.testing;

import io.github.avf4j.virtio.TransportFeatures;
import io.github.avf4j.virtio.VirtioDevice;
import io.github.avf4j.virtio.memory.GuestMemory;
import io.github.avf4j.virtio.memory.GuestRange;
import io.github.avf4j.virtio.memory.GuestRegion;
import io.github.avf4j.virtio.mmio.MmioTransport;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * A guest's driver without a guest: it negotiates, sets up queues and kicks through the registers
 * of a {@link MmioTransport}, and keeps rings and buffers in a {@link GuestMemory}.
 *
 * <p>Every step can be done by hand ({@link #write}, {@link #read}) to do it wrong. {@link #start}
 * does all of them right. Confined to one thread, but for {@link #interrupts()}.
 */
public final class ScriptedDriver implements AutoCloseable {
  /** The size of the default memory in bytes: two adjacent regions of half of it each. */
  public static final long MEMORY_SIZE = 8 << 20;

  private static final int ACKNOWLEDGE = 1;
  private static final int DRIVER = 2;
  private static final int DRIVER_OK = 4;
  private static final int FEATURES_OK = 8;

  private final GuestMemory memory;
  private final GuestHeap heap;
  private final MmioTransport transport;
  private final Semaphore interrupts = new Semaphore(0);
  private final List<GuestRing> rings = new ArrayList<>();
  private long features;

  /** Makes a driver for {@code device} in a memory of {@link #MEMORY_SIZE} bytes. */
  public ScriptedDriver(VirtioDevice device) {
    this(
        device,
        GuestMemory.of(
            List.of(
                GuestRegion.allocate(0, MEMORY_SIZE / 2),
                GuestRegion.allocate(MEMORY_SIZE / 2, MEMORY_SIZE / 2))));
  }

  /** Makes a driver for {@code device} in {@code memory}; its heap is all but the first page. */
  public ScriptedDriver(VirtioDevice device, GuestMemory memory) {
    this.memory = memory;
    GuestRange last = memory.ranges().get(memory.ranges().size() - 1);
    heap = new GuestHeap(memory.ranges().get(0).base() + 4096, last.end());
    transport = new MmioTransport(device, memory, interrupts::release);
  }

  /**
   * Negotiates all that is offered of {@code wanted} and VERSION_1, and starts with whole queues.
   */
  public ScriptedDriver start(long wanted, int queueSize) {
    negotiate(wanted);
    for (int queue = 0; queue < transport.queueCount(); queue++) {
      write(0x30, queue);
      setUp(queue, new GuestRing(memory, heap, Math.min(queueSize, read(0x34))));
    }
    driverOk();
    return this;
  }

  /** As {@link #start(long, int)} with EVENT_IDX, INDIRECT_DESC and the device's own features. */
  public ScriptedDriver start() {
    return start(-1L, 256);
  }

  /** Goes from reset to FEATURES_OK with what is offered of {@code wanted}, and VERSION_1. */
  public void negotiate(long wanted) {
    write(0x70, 0);
    write(0x70, ACKNOWLEDGE);
    write(0x70, ACKNOWLEDGE | DRIVER);
    features = offered() & (wanted | TransportFeatures.VERSION_1);
    accept(features);
    write(0x70, ACKNOWLEDGE | DRIVER | FEATURES_OK);
    if (read(0x70) != (ACKNOWLEDGE | DRIVER | FEATURES_OK)) {
      throw new IllegalStateException("the device refused features " + Long.toHexString(features));
    }
  }

  /** Returns the features that the device offers. */
  public long offered() {
    write(0x14, 0);
    long low = read(0x10) & 0xffff_ffffL;
    write(0x14, 1);
    return low | (long) read(0x10) << 32;
  }

  /** Writes the features that the driver accepts. */
  public void accept(long accepted) {
    write(0x24, 0);
    write(0x20, (int) accepted);
    write(0x24, 1);
    write(0x20, (int) (accepted >>> 32));
  }

  /** Tells the device where {@code ring} is and makes it ready as queue {@code queue}. */
  public void setUp(int queue, GuestRing ring) {
    write(0x30, queue);
    write(0x38, ring.size());
    writeAddress(0x80, ring.desc());
    writeAddress(0x90, ring.avail());
    writeAddress(0xa0, ring.used());
    write(0x44, 1);
    while (rings.size() <= queue) {
      rings.add(ring);
    }
    rings.set(queue, ring);
  }

  /** Sets DRIVER_OK. */
  public void driverOk() {
    write(0x70, ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK);
  }

  private void writeAddress(int offset, long address) {
    write(offset, (int) address);
    write(offset + 4, (int) (address >>> 32));
  }

  /** Returns the ring of {@code queue}. */
  public GuestRing ring(int queue) {
    return rings.get(queue);
  }

  /** Notifies the device if it wants to hear of what was added to {@code queue}. */
  public void kick(int queue) {
    if (ring(queue).needsKick(has(TransportFeatures.EVENT_IDX))) {
      write(0x50, queue);
    }
  }

  /** Adds a chain to {@code queue}, kicks, and returns what the device gave back at once. */
  public Used exchange(int queue, Segment... segments) {
    ring(queue).add(segments);
    kick(queue);
    Used used = ring(queue).collect();
    if (used == null) {
      throw new IllegalStateException("the device gave nothing back on queue " + queue);
    }
    return used;
  }

  /** Returns a new buffer with {@code bytes} for the device to read. */
  public Segment readable(byte[] bytes) {
    long address = heap.allocate(Math.max(bytes.length, 1), 1);
    memory.write(address, bytes, 0, bytes.length);
    return new Segment(address, bytes.length, false);
  }

  /** Returns a new buffer for the device to write. */
  public Segment writable(int length) {
    return new Segment(heap.allocate(Math.max(length, 1), 1), length, true);
  }

  /** Returns the bytes of a buffer. */
  public byte[] bytes(Segment segment) {
    byte[] bytes = new byte[(int) segment.length()];
    memory.read(segment.address(), bytes, 0, bytes.length);
    return bytes;
  }

  /** Returns whether {@code feature} was negotiated. */
  public boolean has(long feature) {
    return (features & feature) != 0;
  }

  /** Returns the number of interrupts raised and not taken by {@link #awaitInterrupt}. */
  public int interrupts() {
    return interrupts.availablePermits();
  }

  /** Waits for an interrupt and takes it; says whether one came in time. */
  public boolean awaitInterrupt(Duration timeout) throws InterruptedException {
    return interrupts.tryAcquire(timeout.toMillis(), TimeUnit.MILLISECONDS);
  }

  /** Reads a 32-bit register. */
  public int read(int offset) {
    return transport.read(offset, 4);
  }

  /** Writes a 32-bit register. */
  public void write(int offset, int value) {
    transport.write(offset, 4, value);
  }

  /** Returns the transport under the driver. */
  public MmioTransport transport() {
    return transport;
  }

  /** Returns the guest's memory. */
  public GuestMemory memory() {
    return memory;
  }

  /** Returns the allocator of the guest's memory. */
  public GuestHeap heap() {
    return heap;
  }

  @Override
  public void close() {
    transport.close();
  }
}
