package io.github.avf4j.virtio.vsock;

import io.github.avf4j.Cid;
import io.github.avf4j.virtio.InterruptLine;
import io.github.avf4j.virtio.memory.GuestMemory;
import io.github.avf4j.virtio.memory.GuestRegion;
import io.github.avf4j.virtio.queue.Virtqueue;
import io.github.avf4j.virtio.testing.GuestHeap;
import io.github.avf4j.virtio.testing.GuestRing;
import io.github.avf4j.virtio.testing.Segment;
import io.github.avf4j.virtio.testing.Used;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The rings of a guest's vsock driver: packets in and out, whatever they say.
 *
 * <p>Kicks go to a thread of the device's own, as through an eventfd, or are handled at once on the
 * calling thread. Confined to one thread, but for the doorbells.
 */
final class GuestDriver implements AutoCloseable {
  static final long CID = 42;

  private static final long MEMORY = 24 << 20;
  private static final int TX_SLOT = 44 + (68 << 10);
  private static final int RX_BIT = 1;
  private static final int TX_BIT = 2;
  private static final int END_BIT = 4;

  private final VsockDevice device;
  private final boolean eventIdx;
  private final int rxBufferSize;
  private final GuestMemory memory = GuestMemory.of(List.of(GuestRegion.allocate(0, MEMORY)));
  private final GuestHeap heap = new GuestHeap(4096, MEMORY);
  private final GuestRing rx;
  private final GuestRing tx;
  private final Virtqueue txQueue;
  private final long rxBuffers;
  private final long txBuffers;
  private final int txSlots;
  private int txInFlight;
  private int txNext;
  private final ByteBuffer header = ByteBuffer.allocateDirect(44).order(ByteOrder.LITTLE_ENDIAN);
  private final Doorbell kicks = new Doorbell();
  private final Doorbell interrupts = new Doorbell();
  private final @Nullable Thread deviceThread;

  /** Starts the driver and, unless {@code rxBufferSize} is 0, fills the rx queue. */
  GuestDriver(
      VsockDevice device, int queueSize, int rxBufferSize, boolean eventIdx, boolean async) {
    this.device = device;
    this.eventIdx = eventIdx;
    this.rxBufferSize = rxBufferSize;
    rx = new GuestRing(memory, heap, queueSize);
    tx = new GuestRing(memory, heap, queueSize);
    rxBuffers = heap.allocate((long) queueSize * Math.max(rxBufferSize, 1), 4096);
    txSlots = Math.min(queueSize / 2, 64);
    txBuffers = heap.allocate((long) txSlots * TX_SLOT, 4096);
    for (int i = 0; i < queueSize && rxBufferSize > 0; i++) {
      rx.descriptor(i, rxBuffers + (long) i * rxBufferSize, rxBufferSize, GuestRing.WRITE, 0);
      rx.publish(i);
    }
    txQueue = queue(tx, 1);
    if (async) {
      deviceThread = new Thread(this::serve, "test-vsock-device");
      deviceThread.setDaemon(true);
      deviceThread.start();
    } else {
      deviceThread = null;
    }
    // As vhost-user does, without the event queue.
    device.activate(new Virtqueue[] {queue(rx, 0), txQueue}, 0, line());
  }

  static GuestDriver sync(VsockDevice device) {
    return new GuestDriver(device, 128, 4096, true, false);
  }

  static GuestDriver async(VsockDevice device) {
    return new GuestDriver(device, 128, 4096, true, true);
  }

  static VsockConfig.Builder config() {
    return VsockConfig.builder().cid(new Cid(CID));
  }

  private Virtqueue queue(GuestRing ring, int index) {
    return new Virtqueue(
        memory, index, ring.size(), ring.desc(), ring.avail(), ring.used(), eventIdx, false);
  }

  private InterruptLine line() {
    return new InterruptLine() {
      @Override
      public void queueUsed(int queue) {
        interrupts.ring(1 << queue);
      }

      @Override
      public void configChanged() {}
    };
  }

  private void serve() {
    for (int bits = 0; (bits & END_BIT) == 0; ) {
      bits = kicks.await();
      if ((bits & RX_BIT) != 0) {
        device.queueNotified(0);
      }
      if ((bits & TX_BIT) != 0) {
        device.queueNotified(1);
      }
    }
  }

  GuestMemory memory() {
    return memory;
  }

  GuestHeap heap() {
    return heap;
  }

  GuestRing rx() {
    return rx;
  }

  GuestRing tx() {
    return tx;
  }

  boolean txBroken() {
    return txQueue.broken();
  }

  void kickRx() {
    if (rx.needsKick(eventIdx)) {
      kick(0);
    }
  }

  void kickTx() {
    if (tx.needsKick(eventIdx)) {
      kick(1);
    }
  }

  private void kick(int queue) {
    if (deviceThread == null) {
      device.queueNotified(queue);
    } else {
      kicks.ring(1 << queue);
    }
  }

  /**
   * Waits for an interrupt of any queue; asks for one of rx first. Returns at once if rx has some.
   */
  void awaitRx(Duration timeout) {
    wantRxInterrupt(true);
    if (rx.collectable() == 0) {
      interrupts.await(timeout.toNanos());
    }
    wantRxInterrupt(false);
  }

  /** Waits for an interrupt for as long as it takes. */
  void awaitRx() {
    wantRxInterrupt(true);
    if (rx.collectable() == 0) {
      interrupts.await();
    }
    wantRxInterrupt(false);
  }

  /** Ends a wait for an interrupt. Thread-safe. */
  void wake() {
    interrupts.ring(END_BIT);
  }

  private void wantRxInterrupt(boolean want) {
    if (!eventIdx) {
      rx.availableFlags(want ? 0 : 1);
    } else if (want) {
      rx.wantInterruptAfter(1);
    }
  }

  /** Returns the next packet of the host if there is one, and gives its buffer back. */
  @Nullable Packet poll() {
    Used used = rx.collect();
    if (used == null) {
      return null;
    }
    Packet packet = Packet.of(view(used));
    rx.publish(used.head());
    kickRx();
    return packet;
  }

  /** Returns the next packet of the host without giving its buffer back. */
  @Nullable Packet pollAndKeep() {
    Used used = rx.collect();
    return used == null ? null : Packet.of(view(used));
  }

  /** Returns the next packet of the host. */
  Packet receive() {
    long deadline = System.nanoTime() + Duration.ofSeconds(20).toNanos();
    for (Packet packet; ; ) {
      if ((packet = poll()) != null) {
        return packet;
      }
      if (System.nanoTime() - deadline > 0) {
        throw new AssertionError("no packet came from the host");
      }
      awaitRx(Duration.ofMillis(500));
    }
  }

  /** Returns a copy of the bytes of a used rx buffer. */
  ByteBuffer view(Used used) {
    ByteBuffer copy = ByteBuffer.allocate((int) used.length()).order(ByteOrder.LITTLE_ENDIAN);
    memory.read(rxBuffers + (long) used.head() * rxBufferSize, copy);
    return copy.flip();
  }

  /** Adds {@code count} more rx buffers of {@code size} bytes to a ring that was started empty. */
  void addRxBuffers(int count, int size) {
    for (int i = 0; i < count; i++) {
      rx.add(new Segment(heap.allocate(size, 16), size, true));
    }
    kickRx();
  }

  void send(Packet packet) {
    sendRaw(packet.toBytes());
  }

  /** Sends bytes as one chain of descriptors of the given lengths, the last takes what is left. */
  void sendRaw(byte[] bytes, int... lengths) {
    reclaim(lengths.length + 1);
    Segment[] segments = new Segment[lengths.length + 1];
    long address = slot();
    memory.write(address, bytes, 0, bytes.length);
    int at = 0;
    for (int i = 0; i < lengths.length; i++) {
      segments[i] = new Segment(address + at, lengths[i], false);
      at += lengths[i];
    }
    segments[lengths.length] = new Segment(address + at, bytes.length - at, false);
    tx.add(segments);
    txInFlight++;
    kickTx();
  }

  /** Waits until there is a free slot; with chains of several descriptors until all are free. */
  private void reclaim(int descriptors) {
    while (tx.collect() != null) {
      txInFlight--;
    }
    long deadline = System.nanoTime() + Duration.ofSeconds(20).toNanos();
    while (txInFlight >= (descriptors <= 2 ? txSlots : 1)) {
      tx.wantInterruptAfter(1);
      if (tx.collect() != null) {
        txInFlight--;
        continue;
      }
      if (System.nanoTime() - deadline > 0) {
        throw new AssertionError("the device gave no tx buffer back");
      }
      interrupts.await(Duration.ofMillis(100).toNanos());
    }
  }

  /** Says whether {@link #send} can be called without waiting. */
  boolean canSend() {
    while (tx.collect() != null) {
      txInFlight--;
    }
    return txInFlight < txSlots;
  }

  private long slot() {
    long address = txBuffers + (long) txNext * TX_SLOT;
    txNext = (txNext + 1) % txSlots;
    return address;
  }

  /** Sends data without an allocation; the header's buffer is filled by the caller. */
  void send(ByteBuffer packetHeader, ByteBuffer data) {
    reclaim(2);
    long address = slot();
    int length = data.remaining();
    memory.write(address, packetHeader);
    memory.write(address + 44, data);
    int head = tx.link(new Segment(address, 44, false), new Segment(address + 44, length, false));
    tx.publish(head);
    txInFlight++;
    kickTx();
  }

  ByteBuffer header() {
    return header.clear();
  }

  @Override
  public void close() {
    device.close();
    if (deviceThread != null) {
      kicks.ring(END_BIT);
      try {
        deviceThread.join(10_000);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
