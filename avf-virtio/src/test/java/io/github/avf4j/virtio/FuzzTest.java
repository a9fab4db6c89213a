package io.github.avf4j.virtio;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.avf4j.spi.ByteSink;
import io.github.avf4j.virtio.blk.BlkConfig;
import io.github.avf4j.virtio.blk.BlkDevice;
import io.github.avf4j.virtio.blk.FileBackend;
import io.github.avf4j.virtio.console.ConsoleConfig;
import io.github.avf4j.virtio.console.ConsoleDevice;
import io.github.avf4j.virtio.memory.GuestMemory;
import io.github.avf4j.virtio.memory.GuestRange;
import io.github.avf4j.virtio.memory.GuestRegion;
import io.github.avf4j.virtio.queue.Virtqueue;
import io.github.avf4j.virtio.rng.RngConfig;
import io.github.avf4j.virtio.rng.RngDevice;
import io.github.avf4j.virtio.testing.EchoDevice;
import io.github.avf4j.virtio.testing.GuestRing;
import io.github.avf4j.virtio.testing.ScriptedDriver;
import io.github.avf4j.virtio.testing.Segment;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Random drivers, reproducible by their seed: no exception may escape, nothing outside RAM may
 * change, and the device must serve a good driver afterwards.
 */
class FuzzTest {
  private static final int ROUNDS = 300;
  private static final int STEPS = 200;
  private static final int RAM = 1 << 18;
  private static final int GUARD = 1 << 16;
  private static final byte CANARY = 0x5a;
  private static final int[] REGISTERS = {
    0x00, 0x10, 0x14, 0x20, 0x24, 0x30, 0x34, 0x38, 0x44, 0x50, 0x60, 0x64, 0x70, 0x80, 0x84, 0x90,
    0x94, 0xa0, 0xa4, 0xac, 0xb0, 0xc0, 0xfc, 0x100, 0x104, 0x13c, 0x200
  };

  /** RAM with a strip on either side that no device may touch. */
  private final ByteBuffer arena = ByteBuffer.allocateDirect(RAM + 2 * GUARD);

  private final GuestMemory memory =
      GuestMemory.of(
          List.of(
              new GuestRegion(0x10000, RAM / 2, List.of(arena.slice(GUARD, RAM / 2))),
              new GuestRegion(
                  0x10000 + RAM / 2, RAM / 2, List.of(arena.slice(GUARD + RAM / 2, RAM / 2)))));

  @TempDir Path folder;

  enum Kind {
    ECHO,
    BLK,
    READ_ONLY_BLK,
    CONSOLE,
    RNG
  }

  @BeforeEach
  void drawGuards() {
    for (int i = 0; i < GUARD; i++) {
      arena.put(i, CANARY);
      arena.put(GUARD + RAM + i, CANARY);
    }
  }

  private VirtioDevice device(Kind kind) throws Exception {
    return switch (kind) {
      case ECHO -> new EchoDevice();
      case BLK, READ_ONLY_BLK -> {
        Path image = folder.resolve(kind + ".img");
        byte[] content = new byte[64 * 512];
        Arrays.fill(content, CANARY);
        Files.write(image, content);
        boolean readOnly = kind == Kind.READ_ONLY_BLK;
        yield new BlkDevice(
            BlkConfig.builder().readOnly(readOnly).build(), FileBackend.open(image, readOnly));
      }
      case CONSOLE -> new ConsoleDevice(ConsoleConfig.builder().output(ByteSink.DISCARD).build());
      case RNG -> new RngDevice(RngConfig.builder().build());
    };
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void survivesRandomDescriptors(Kind kind) throws Exception {
    VirtioDevice device = device(kind);
    ScriptedDriver driver = new ScriptedDriver(device, memory);
    for (int seed = 0; seed < ROUNDS; seed++) {
      Random random = new Random(seed);
      int size = 1 << 1 + random.nextInt(4);
      ScriptedDriver fresh = new ScriptedDriver(new Unowned(device), memory);
      fresh.start(random.nextBoolean() ? -1 : 0, size);
      for (int step = 0; step < 20; step++) {
        int queue = random.nextInt(device.queueCount());
        scribble(fresh, fresh.ring(queue), random);
        fresh.transport().notifyQueue(queue);
        if (device instanceof ConsoleDevice console && random.nextInt(100) == 0) {
          console.input().write('x');
        }
      }
      fresh.write(0x70, 0);
      assertThat(fresh.read(0x70)).isZero();
      assertGuards(kind, seed);
    }
    assertServes(kind, driver);
    assertReadOnlyImageIsUntouched(kind);
    driver.close();
  }

  private void scribble(ScriptedDriver driver, GuestRing ring, Random random) {
    for (int i = 0; i < ring.size(); i++) {
      ring.descriptor(
          i,
          address(driver, random),
          length(random),
          random.nextInt(8) == 0 ? random.nextInt() : random.nextInt(8) & ~random.nextInt(8),
          random.nextInt(4) == 0 ? random.nextInt() : random.nextInt(ring.size()));
    }
    int chains = random.nextInt(ring.size());
    for (int i = 0; i < chains; i++) {
      ring.publish(random.nextInt(200) == 0 ? random.nextInt() : random.nextInt(ring.size()));
    }
    if (random.nextInt(50) == 0) {
      ring.jumpTo(random.nextInt());
    }
  }

  private static long address(ScriptedDriver driver, Random random) {
    List<GuestRange> regions = driver.memory().ranges();
    return switch (random.nextInt(8)) {
      case 0 -> random.nextLong();
      case 1 -> regions.get(1).end() - random.nextInt(64);
      case 2 -> regions.get(0).base() - random.nextInt(64);
      case 3 -> regions.get(0).end() - random.nextInt(64);
      case 4 -> driver.ring(0).desc() + random.nextInt(256);
      default -> regions.get(0).base() + random.nextInt(RAM);
    };
  }

  private static long length(Random random) {
    return switch (random.nextInt(6)) {
      case 0 -> random.nextInt();
      case 1 -> 0;
      case 2 -> 16L * random.nextInt(8);
      case 3 -> 512L * random.nextInt(4) + random.nextInt(2);
      case 4 -> 1;
      default -> random.nextInt(64);
    };
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void survivesRandomRegisterAccesses(Kind kind) throws Exception {
    VirtioDevice device = device(kind);
    ScriptedDriver driver = new ScriptedDriver(new Unowned(device), memory);
    int[] widths = {1, 2, 4, 4, 4, 4, 8, 0, -1, 3};
    int[] statuses = {0, 1, 3, 11, 15, 0x80, 7, 0x4f};
    for (int seed = 0; seed < ROUNDS; seed++) {
      Random random = new Random(seed);
      if (random.nextBoolean()) {
        driver.negotiate(random.nextLong());
      }
      for (int step = 0; step < STEPS; step++) {
        int register = REGISTERS[random.nextInt(REGISTERS.length)];
        int width = widths[random.nextInt(widths.length)];
        int value =
            switch (random.nextInt(5)) {
              case 0 -> random.nextInt();
              case 1 -> statuses[random.nextInt(statuses.length)];
              case 2 -> 0x10000 + (random.nextInt(RAM) & ~15);
              default -> random.nextInt(32);
            };
        switch (random.nextInt(4)) {
          case 0 -> driver.transport().read(register, width);
          case 1 -> driver.transport().notifyQueue(value);
          case 2 -> driver.transport().write(random.nextInt(), width, value);
          default -> driver.transport().write(register, width, value);
        }
      }
      assertGuards(kind, seed);
    }
    assertServes(kind, new ScriptedDriver(new Unowned(device(kind)), memory));
    driver.write(0x70, 0);
    assertServes(kind, driver);
    assertReadOnlyImageIsUntouched(kind);
    device.close();
  }

  private void assertGuards(Kind kind, int seed) {
    for (int i = 0; i < GUARD; i++) {
      if (arena.get(i) != CANARY || arena.get(GUARD + RAM + i) != CANARY) {
        throw new AssertionError(kind + " wrote outside RAM with seed " + seed);
      }
    }
  }

  private void assertReadOnlyImageIsUntouched(Kind kind) throws Exception {
    if (kind == Kind.READ_ONLY_BLK) {
      assertThat(Files.readAllBytes(folder.resolve(kind + ".img"))).containsOnly(CANARY);
    }
  }

  private static void assertServes(Kind kind, ScriptedDriver driver) {
    driver.start(-1, 8);
    switch (kind) {
      case ECHO -> {
        Segment back = driver.writable(1);
        driver.exchange(2, driver.readable(new byte[] {9}), back);
        assertThat(driver.bytes(back)).containsExactly(9);
      }
      case BLK, READ_ONLY_BLK ->
          assertThat(driver.exchange(0, driver.readable(new byte[16]), driver.writable(513)))
              .extracting("length")
              .isEqualTo(513L);
      case CONSOLE -> driver.exchange(1, driver.readable(new byte[3]));
      case RNG ->
          assertThat(driver.exchange(0, driver.writable(8))).extracting("length").isEqualTo(8L);
    }
    assertThat(driver.read(0x70)).isEqualTo(15);
  }

  /** Lets many transports have the same device, one after the other. */
  private record Unowned(VirtioDevice device) implements VirtioDevice {
    @Override
    public int deviceId() {
      return device.deviceId();
    }

    @Override
    public long features() {
      return device.features();
    }

    @Override
    public int queueCount() {
      return device.queueCount();
    }

    @Override
    public int maxQueueSize(int queue) {
      return device.maxQueueSize(queue);
    }

    @Override
    public int readConfig(int offset, int width) {
      return device.readConfig(offset, width);
    }

    @Override
    public void activate(@Nullable Virtqueue[] queues, long features, InterruptLine interrupts) {
      device.activate(queues, features, interrupts);
    }

    @Override
    public void queueNotified(int queue) {
      try {
        device.queueNotified(queue);
      } catch (RuntimeException e) {
        // The transport would turn it into NEEDS_RESET.
        throw new AssertionError("queue " + queue, e);
      }
    }

    @Override
    public void reset() {
      device.reset();
    }

    @Override
    public void close() {}
  }
}
