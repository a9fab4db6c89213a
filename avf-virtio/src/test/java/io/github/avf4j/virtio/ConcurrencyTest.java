package io.github.avf4j.virtio;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.avf4j.spi.ByteSink;
import io.github.avf4j.virtio.console.ConsoleConfig;
import io.github.avf4j.virtio.console.ConsoleDevice;
import io.github.avf4j.virtio.memory.GuestMemory;
import io.github.avf4j.virtio.memory.GuestRegion;
import io.github.avf4j.virtio.queue.DescriptorChain;
import io.github.avf4j.virtio.queue.Virtqueue;
import io.github.avf4j.virtio.testing.EchoDevice;
import io.github.avf4j.virtio.testing.GuestHeap;
import io.github.avf4j.virtio.testing.GuestRing;
import io.github.avf4j.virtio.testing.ScriptedDriver;
import io.github.avf4j.virtio.testing.Segment;
import io.github.avf4j.virtio.testing.Used;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Guests that do things at the same time on several CPUs. */
class ConcurrencyTest {
  private static final long TIMEOUT_SECONDS = 100;

  /** Runs {@code body} on a thread of its own. */
  private static CompletableFuture<Void> start(ThrowingRunnable body) {
    CompletableFuture<Void> result = new CompletableFuture<>();
    Thread thread =
        new Thread(
            () -> {
              try {
                body.run();
                result.complete(null);
              } catch (Throwable e) {
                result.completeExceptionally(e);
              }
            });
    thread.setDaemon(true);
    thread.start();
    return result;
  }

  private interface ThrowingRunnable {
    void run() throws Exception;
  }

  /**
   * A second CPU flips length, flags and successor of a descriptor between two values, each of
   * which makes a legal chain; what the device gets must be one of the two.
   */
  @Test
  void seesOneOfTheConsistentOutcomesOfADescriptorThatChanges() throws Exception {
    int size = 4;
    GuestMemory memory = GuestMemory.of(List.of(GuestRegion.allocate(0, 1 << 16)));
    GuestRing ring = new GuestRing(memory, new GuestHeap(0, 1 << 15), size);
    Virtqueue queue =
        new Virtqueue(memory, 0, size, ring.desc(), ring.avail(), ring.used(), false, false);
    // One 64-bit word: length, flags, next. Readable 100 bytes and a successor, or writable 7.
    long first = 100L | 1L << 32 | 1L << 48;
    long second = 7L | 2L << 32;
    ring.descriptor(0, 0x8000, 100, GuestRing.NEXT, 1);
    ring.descriptor(1, 0x9000, 50, GuestRing.WRITE, 0);
    AtomicBoolean done = new AtomicBoolean();
    CompletableFuture<Void> flipper =
        start(
            () -> {
              while (!done.get()) {
                memory.storeLong(ring.desc() + 8, second);
                memory.storeLong(ring.desc() + 8, first);
              }
            });
    try {
      int chained = 0;
      int rounds = 200_000;
      for (int i = 0; i < rounds; i++) {
        ring.publish(0);
        DescriptorChain chain = queue.poll();
        assertThat(chain).isNotNull();
        if (chain.readableLength() == 100 && chain.writableLength() == 50) {
          chained++;
          chain.skip(100);
          assertThat(chain.readRemaining()).isZero();
        } else if (chain.readableLength() != 0 || chain.writableLength() != 7) {
          throw new AssertionError(
              "torn: " + chain.readableLength() + " and " + chain.writableLength());
        }
        queue.complete(chain, 1000);
        Used used = ring.collect();
        assertThat(used).isNotNull();
        assertThat(used.length()).isIn(50L, 7L);
      }
      System.out.println("TOCTOU: " + chained + " of " + rounds + " chains had the first shape");
    } finally {
      done.set(true);
      flipper.get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
    }
  }

  /** A second CPU flips address and length between RAM and nowhere. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void neverLeavesRamWhenADescriptorChanges(boolean indirect) throws Exception {
    EchoDevice device = new EchoDevice();
    ScriptedDriver driver = new ScriptedDriver(device).start(-1, 4);
    GuestMemory memory = driver.memory();
    GuestRing ring = driver.ring(0);
    Segment out = driver.readable(new byte[64]);
    Segment in = driver.writable(64);
    long table = driver.heap().allocate(64, 16);
    if (indirect) {
      ring.addIndirect(table, out, in);
    } else {
      ring.add(out, in);
    }
    long flipped = indirect ? table : ring.desc();
    AtomicBoolean done = new AtomicBoolean();
    CompletableFuture<Void> flipper =
        start(
            () -> {
              Random random = new Random(1);
              while (!done.get()) {
                int index = random.nextInt(2);
                Segment good = index == 0 ? out : in;
                long at = flipped + 16L * index;
                memory.storeLong(at, ScriptedDriver.MEMORY_SIZE - random.nextInt(64));
                memory.storeInt(at + 8, random.nextInt());
                memory.storeInt(at + 12, random.nextInt());
                memory.storeLong(at, good.address());
                memory.storeInt(at + 8, 64);
                memory.storeInt(at + 12, index == 0 ? GuestRing.NEXT | 1 << 16 : GuestRing.WRITE);
              }
            });
    try {
      for (int i = 0; i < 100_000; i++) {
        driver.transport().notifyQueue(0);
        assertThat(driver.read(0x70)).isEqualTo(15);
        assertThat(ring.collect()).isNotNull();
        ring.publish(0);
      }
    } finally {
      done.set(true);
      flipper.get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
      driver.close();
    }
  }

  /** The driver adds chains on one thread while the device serves them on another. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void losesNoChainAndNoNotificationBetweenTwoThreads(boolean eventIdx) throws Exception {
    int size = 16;
    int total = 200_000;
    GuestMemory memory = GuestMemory.of(List.of(GuestRegion.allocate(0, 1 << 16)));
    GuestRing ring = new GuestRing(memory, new GuestHeap(0, 1 << 15), size);
    Virtqueue queue =
        new Virtqueue(memory, 0, size, ring.desc(), ring.avail(), ring.used(), eventIdx, false);
    Semaphore kicks = new Semaphore(0);
    Semaphore interrupts = new Semaphore(0);
    CompletableFuture<Void> device =
        start(
            () -> {
              int served = 0;
              while (served < total) {
                DescriptorChain chain;
                while ((chain = queue.poll()) != null) {
                  chain.writeInt(chain.readInt() + 1);
                  queue.complete(chain, 4);
                  served++;
                  if (queue.interruptNeeded()) {
                    interrupts.release();
                  }
                }
                if (served < total && !queue.enableNotifications()) {
                  assertThat(kicks.tryAcquire(TIMEOUT_SECONDS, TimeUnit.SECONDS))
                      .as("a kick after %s chains", served)
                      .isTrue();
                  queue.disableNotifications();
                }
              }
            });
    int added = 0;
    int collected = 0;
    while (collected < total) {
      while (added < total && added - collected < size / 2) {
        int slot = added % (size / 2);
        memory.storeInt(0x8000 + 8L * slot, added);
        ring.add(
            new Segment(0x8000 + 8L * slot, 4, false), new Segment(0x8004 + 8L * slot, 4, true));
        added++;
        if (ring.needsKick(eventIdx)) {
          kicks.release();
        }
      }
      ring.wantInterruptAfter(1);
      while (ring.collectable() == 0) {
        assertThat(interrupts.tryAcquire(TIMEOUT_SECONDS, TimeUnit.SECONDS))
            .as("an interrupt after %s chains", collected)
            .isTrue();
      }
      while (ring.collect() != null) {
        assertThat(memory.loadInt(0x8004 + 8L * (collected % (size / 2)))).isEqualTo(collected + 1);
        collected++;
      }
    }
    device.get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
  }

  /** One CPU keeps a queue full, another resets: the reset must come through. */
  @Test
  void resetsADeviceThatIsKeptBusy() throws Exception {
    ByteSink slow = (bytes, offset, length) -> Thread.onSpinWait();
    ScriptedDriver driver =
        new ScriptedDriver(new ConsoleDevice(ConsoleConfig.builder().output(slow).build()));
    try {
      for (int round = 0; round < 20; round++) {
        driver.start(0, 4);
        GuestRing ring = driver.ring(1);
        // Each chain claims 3 GiB of output.
        Segment huge = new Segment(0, ScriptedDriver.MEMORY_SIZE, false);
        long table = driver.heap().allocate(16 * 384, 16);
        Segment[] many = new Segment[384];
        Arrays.fill(many, huge);
        ring.addIndirect(table, many);
        CompletableFuture<Void> loop = start(() -> driver.transport().notifyQueue(1));
        driver.transport().write(0x70, 4, 0);
        assertThat(driver.read(0x70)).isZero();
        loop.get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
      }
    } finally {
      driver.close();
    }
  }

  /** The work on a chain ends when another CPU resets the device or the machine ends. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void abandonsWorkInFlightOnResetAndClose(boolean close) throws Exception {
    EchoDevice device = new EchoDevice();
    ScriptedDriver driver = new ScriptedDriver(device).start();
    CompletableFuture<Void> working = new CompletableFuture<>();
    AtomicBoolean abandoned = new AtomicBoolean();
    device.beforeEcho(
        chain -> {
          working.complete(null);
          long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(TIMEOUT_SECONDS / 2);
          while (!chain.isAbandoned() && System.nanoTime() < deadline) {
            Thread.onSpinWait();
          }
          abandoned.set(chain.isAbandoned());
        });
    driver.ring(0).add(driver.readable(new byte[4]), driver.writable(4));
    CompletableFuture<Void> loop = start(() -> driver.transport().notifyQueue(0));
    working.get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
    if (close) {
      driver.close();
    } else {
      driver.write(0x70, 0);
    }
    loop.get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
    assertThat(abandoned).isTrue();
    assertThat(driver.ring(0).collect()).as("nothing is given back any more").isNull();
    assertThat(driver.interrupts()).isZero();
    driver.close();
  }

  /** vCPU threads and the event loop do everything at once. */
  @Test
  void survivesRegistersResetsAndNotificationsAtOnce() throws Exception {
    EchoDevice device = new EchoDevice();
    ScriptedDriver driver = new ScriptedDriver(device);
    AtomicBoolean done = new AtomicBoolean();
    CompletableFuture<Void> loop =
        start(
            () -> {
              while (!done.get()) {
                driver.transport().notifyQueue(0);
                driver.transport().notifyQueue(1);
              }
            });
    CompletableFuture<Void> vcpu =
        start(
            () -> {
              Random random = new Random(2);
              while (!done.get()) {
                driver.transport().read(4 * random.nextInt(64), 4);
                driver.transport().write(0x64, 4, 3);
                driver.transport().write(0x30, 4, random.nextInt(4));
              }
            });
    try {
      for (int round = 0; round < 300; round++) {
        driver.write(0x70, 0);
        driver.write(0x70, 1);
        driver.write(0x70, 3);
        // The other vCPU changes the selected queue at any time: set-ups may miss, nothing more.
        driver.accept(driver.offered() | TransportFeatures.VERSION_1);
        driver.write(0x70, 11);
        GuestRing ring = new GuestRing(driver.memory(), driver.heap(), 4);
        driver.setUp(0, ring);
        driver.driverOk();
        ring.add(driver.readable(new byte[8]), driver.writable(8));
        driver.transport().notifyQueue(0);
      }
      driver.close();
    } finally {
      done.set(true);
      loop.get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
      vcpu.get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
    }
  }
}
