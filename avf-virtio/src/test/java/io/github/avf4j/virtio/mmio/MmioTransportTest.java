package io.github.avf4j.virtio.mmio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import io.github.avf4j.virtio.InterruptLine;
import io.github.avf4j.virtio.TransportFeatures;
import io.github.avf4j.virtio.queue.Virtqueue;
import io.github.avf4j.virtio.testing.EchoDevice;
import io.github.avf4j.virtio.testing.GuestRing;
import io.github.avf4j.virtio.testing.ScriptedDriver;
import io.github.avf4j.virtio.testing.Segment;
import io.github.avf4j.virtio.testing.Used;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class MmioTransportTest {
  private static final int STATUS = 0x70;
  private static final int SELECT = 0x30;
  private static final int NUM = 0x38;
  private static final int READY = 0x44;
  private static final int NOTIFY = 0x50;
  private static final int INTERRUPT_STATUS = 0x60;
  private static final int ACK = 0x64;
  private static final int DESC = 0x80;
  private static final int FEATURES_DONE = 11;
  private static final int RUNNING = 15;
  private static final int NEEDS_RESET = 0x40;

  private final EchoDevice device = new EchoDevice();
  private final ScriptedDriver driver = new ScriptedDriver(device);

  @AfterEach
  void close() {
    driver.close();
  }

  private GuestRing ring() {
    return new GuestRing(driver.memory(), driver.heap(), 8);
  }

  private Used echo(int queue) {
    Segment out = driver.readable("hello".getBytes(StandardCharsets.UTF_8));
    Segment in = driver.writable(8);
    Used used = driver.exchange(queue, out, in);
    assertThat(new String(driver.bytes(in), 0, 5, StandardCharsets.UTF_8)).isEqualTo("hello");
    return used;
  }

  // What a good driver sees.

  @Test
  void servesAQueueFromNegotiationToUse() {
    driver.start();
    assertThat(driver.read(STATUS)).isEqualTo(RUNNING);
    assertThat(echo(1)).isEqualTo(new Used(0, 5));
    assertThat(driver.interrupts()).isEqualTo(1);
    assertThat(driver.read(INTERRUPT_STATUS)).isEqualTo(1);
    driver.write(ACK, 1);
    assertThat(driver.read(INTERRUPT_STATUS)).isZero();
  }

  @Test
  void servesWithoutAnyOptionalFeature() {
    driver.start(0, 4);
    assertThat(driver.has(TransportFeatures.EVENT_IDX)).isFalse();
    assertThat(echo(0)).isEqualTo(new Used(0, 5));
    assertThat(device.events()).contains("activate 100000000");
  }

  @Test
  void servesAgainAfterAReset() {
    for (int round = 0; round < 3; round++) {
      driver.start();
      assertThat(echo(2)).isEqualTo(new Used(0, 5));
    }
  }

  @Test
  void tellsWhatItIs() {
    assertThat(driver.read(0x00)).isEqualTo(0x74726976);
    assertThat(driver.read(0x04)).isEqualTo(2);
    assertThat(driver.read(0x08)).isEqualTo(42);
    assertThat(driver.read(0x0c)).isNotZero();
    assertThat(driver.offered())
        .isEqualTo(
            EchoDevice.FEATURES
                | TransportFeatures.VERSION_1
                | TransportFeatures.EVENT_IDX
                | TransportFeatures.INDIRECT_DESC);
    for (int select : new int[] {2, 3, 0x7fffffff, -1}) {
      driver.write(0x14, select);
      assertThat(driver.read(0x10)).isZero();
    }
  }

  @Test
  void offersAccessPlatformToProtectedMachines() {
    try (MmioTransport transport =
        new MmioTransport(new EchoDevice(), driver.memory(), () -> {}, true)) {
      transport.write(0x14, 4, 1);
      assertThat(transport.read(0x10, 4) & 2).isEqualTo(2);
    }
  }

  @Test
  void hasNoSharedMemoryAndNoRingReset() {
    driver.start();
    for (int register : new int[] {0xb0, 0xb4, 0xb8, 0xbc}) {
      assertThat(driver.read(register)).isEqualTo(-1);
    }
    driver.write(0xc0, 1);
    assertThat(driver.read(0xc0)).isZero();
    assertThat(echo(0)).isEqualTo(new Used(0, 5));
  }

  // Status.

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4, 8, 11, 15, 0x40, 0x100, -16})
  void stepsFromResetToAcknowledgeOnly(int status) {
    driver.write(STATUS, 0);
    driver.write(STATUS, status & ~0x80);
    assertThat(driver.read(STATUS)).isZero();
    driver.write(STATUS, 1);
    assertThat(driver.read(STATUS)).isEqualTo(1);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 7, 8, 10, 14, 0x4f, 0x10f})
  void neverClearsOrAddsAStatusBitOutOfOrder(int status) {
    driver.negotiate(-1);
    driver.write(STATUS, status);
    assertThat(driver.read(STATUS)).isEqualTo(FEATURES_DONE);
    driver.driverOk();
    driver.write(STATUS, status);
    assertThat(driver.read(STATUS)).isEqualTo(RUNNING);
  }

  @Test
  void takesFailedAtAnyTimeAndServesNothingAfterwards() {
    driver.start();
    driver.write(STATUS, RUNNING | 0x80);
    assertThat(driver.read(STATUS)).isEqualTo(RUNNING | 0x80);
    driver.ring(0).add(driver.writable(4));
    driver.write(NOTIFY, 0);
    assertThat(device.events()).doesNotContain("notified 0");
    driver.write(STATUS, RUNNING);
    assertThat(driver.read(STATUS)).isEqualTo(RUNNING | 0x80);
    driver.write(STATUS, 0);
    assertThat(driver.read(STATUS)).isZero();
    driver.write(STATUS, 0x80);
    assertThat(driver.read(STATUS)).isEqualTo(0x80);
  }

  @Test
  void activatesOnce() {
    driver.start();
    driver.driverOk();
    assertThat(device.events()).filteredOn(event -> event.startsWith("activate")).hasSize(1);
  }

  // Features.

  @Test
  void refusesFeaturesThatAreNotOffered() {
    driver.write(STATUS, 1);
    driver.write(STATUS, 3);
    driver.accept(TransportFeatures.VERSION_1 | 2);
    driver.write(STATUS, FEATURES_DONE);
    assertThat(driver.read(STATUS)).isEqualTo(3);
    driver.accept(TransportFeatures.VERSION_1 | 1);
    driver.write(STATUS, FEATURES_DONE);
    assertThat(driver.read(STATUS)).as("a second try is allowed").isEqualTo(FEATURES_DONE);
  }

  @Test
  void refusesADriverWithoutVersionOne() {
    driver.write(STATUS, 1);
    driver.write(STATUS, 3);
    driver.accept(EchoDevice.FEATURES);
    driver.write(STATUS, FEATURES_DONE);
    assertThat(driver.read(STATUS)).isEqualTo(3);
  }

  @Test
  void refusesFeaturesBeyondTheDefinedWords() {
    driver.write(STATUS, 1);
    driver.write(STATUS, 3);
    driver.accept(TransportFeatures.VERSION_1);
    driver.write(0x24, 2);
    driver.write(0x20, 1);
    driver.write(STATUS, FEATURES_DONE);
    assertThat(driver.read(STATUS)).isEqualTo(3);
  }

  @Test
  void takesFeaturesOnlyWhileNegotiating() {
    driver.accept(-1);
    driver.write(STATUS, 1);
    driver.accept(-1);
    driver.negotiate(0);
    driver.accept(-1);
    driver.driverOk();
    driver.accept(-1);
    assertThat(device.events()).containsExactly("activate 100000000");
  }

  // Queues.

  @Test
  void hasNoQueueBeyondTheLast() {
    for (int select : new int[] {EchoDevice.QUEUES, 0xffff, 0x10000, -1, Integer.MIN_VALUE}) {
      driver.write(SELECT, select);
      assertThat(driver.read(0x34)).isZero();
      driver.write(NUM, 8);
      driver.write(READY, 1);
      assertThat(driver.read(READY)).isZero();
    }
    driver.write(SELECT, 2);
    assertThat(driver.read(0x34)).isEqualTo(EchoDevice.QUEUE_SIZE);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 3, 15, 17, 32, 65536, 0x10008, -8, Integer.MIN_VALUE})
  void isNotReadyWithAnIllegalSize(int size) {
    driver.negotiate(-1);
    driver.write(SELECT, 0);
    driver.write(NUM, 8);
    driver.write(NUM, size);
    driver.write(READY, 1);
    assertThat(driver.read(READY)).isZero();
  }

  @Test
  void takesQueuesOnlyBetweenFeaturesOkAndDriverOk() {
    driver.write(STATUS, 0);
    driver.setUp(0, ring());
    assertThat(driver.read(READY)).isZero();
    driver.write(STATUS, 1);
    driver.write(STATUS, 3);
    driver.setUp(0, ring());
    assertThat(driver.read(READY)).isZero();
    driver.negotiate(-1);
    driver.setUp(0, ring());
    assertThat(driver.read(READY)).isEqualTo(1);
    driver.driverOk();
    driver.setUp(1, ring());
    assertThat(driver.read(READY)).isZero();
    assertThat(device.queues()[1]).isNull();
  }

  @Test
  void freezesTheGeometryOfARunningQueue() {
    driver.start();
    driver.write(SELECT, 0);
    driver.write(NUM, 4);
    driver.write(DESC, 0x100);
    driver.write(0x90, 0x200);
    driver.write(0xa0, 0x300);
    driver.write(READY, 0);
    assertThat(driver.read(READY)).isEqualTo(1);
    driver.write(READY, 1);
    for (int i = 0; i < 40; i++) {
      echo(0);
    }
    Virtqueue queue = device.queues()[0];
    assertThat(queue).isNotNull();
    assertThat(queue.size()).isEqualTo(16);
  }

  @Test
  void freezesTheGeometryOfAReadyQueueUntilItIsWithdrawn() {
    driver.negotiate(-1);
    GuestRing ring = ring();
    driver.setUp(0, ring);
    driver.write(NUM, 4);
    driver.write(DESC, 0);
    driver.write(READY, 1);
    driver.driverOk();
    assertThat(driver.read(STATUS)).isEqualTo(RUNNING);
    Virtqueue queue = device.queues()[0];
    assertThat(queue).isNotNull();
    assertThat(queue.size()).isEqualTo(8);

    driver.negotiate(-1);
    driver.setUp(0, ring);
    driver.write(READY, 0);
    driver.write(NUM, 4);
    driver.write(READY, 1);
    driver.driverOk();
    queue = device.queues()[0];
    assertThat(queue).isNotNull();
    assertThat(queue.size()).isEqualTo(4);
  }

  @ParameterizedTest
  @CsvSource({
    "0x80, 0x1008", // not aligned
    "0x90, 0x1001",
    "0xa0, 0x1002",
    "0x84, 0x1", // outside RAM
    "0x94, -1",
    "0xa4, 0x7fffffff",
    "0x80, 0xfffff000",
  })
  void needsResetIfAQueueIsIllegal(String register, String value) {
    driver.negotiate(-1);
    GuestRing ring = ring();
    driver.setUp(0, ring);
    driver.write(READY, 0);
    driver.write(Integer.decode(register), Long.decode(value).intValue());
    driver.write(READY, 1);
    driver.driverOk();
    assertThat(driver.read(STATUS)).isEqualTo(RUNNING | NEEDS_RESET);
    assertThat(driver.read(INTERRUPT_STATUS)).isEqualTo(2);
    assertThat(driver.interrupts()).isEqualTo(1);
    assertThat(device.events()).isEmpty();
    driver.write(NOTIFY, 0);
    assertThat(device.events()).isEmpty();
    driver.start();
    echo(0);
  }

  @Test
  void needsResetIfTwoQueuesShareMemory() {
    driver.negotiate(-1);
    GuestRing ring = ring();
    driver.setUp(0, ring);
    driver.setUp(1, ring);
    driver.driverOk();
    assertThat(driver.read(STATUS)).isEqualTo(RUNNING | NEEDS_RESET);
    assertThat(device.events()).isEmpty();
  }

  @Test
  void needsResetIfARingBreaks() {
    driver.start();
    driver.ring(0).jumpTo(1000);
    driver.write(NOTIFY, 0);
    assertThat(driver.read(STATUS)).isEqualTo(RUNNING | NEEDS_RESET);
    assertThat(driver.read(INTERRUPT_STATUS)).isEqualTo(2);
    driver.ring(1).add(driver.writable(1));
    driver.write(NOTIFY, 1);
    assertThat(device.events()).doesNotContain("notified 1");
  }

  @Test
  void needsResetIfTheDeviceFails() {
    driver.start();
    device.failWith(new IllegalStateException("broken on purpose"));
    assertThatCode(() -> driver.write(NOTIFY, 0)).doesNotThrowAnyException();
    assertThat(driver.read(STATUS)).isEqualTo(RUNNING | NEEDS_RESET);
    driver.start();
    assertThat(driver.read(STATUS)).isEqualTo(RUNNING | NEEDS_RESET);
  }

  // Notifications and interrupts.

  @Test
  void replaysNotificationsThatCameBeforeDriverOk() {
    driver.negotiate(-1);
    GuestRing ring = ring();
    driver.setUp(1, ring);
    Segment in = driver.writable(1);
    ring.add(driver.readable(new byte[] {7}), in);
    driver.write(NOTIFY, 1);
    driver.transport().notifyQueue(1);
    assertThat(device.events()).isEmpty();
    driver.driverOk();
    assertThat(device.events()).last().isEqualTo("notified 1");
    assertThat(ring.collect()).isEqualTo(new Used(0, 1));
    assertThat(driver.bytes(in)).containsExactly(7);
  }

  @Test
  void forgetsEarlyNotificationsOnReset() {
    driver.negotiate(-1);
    driver.write(NOTIFY, 1);
    driver.start();
    assertThat(device.events()).noneMatch(event -> event.startsWith("notified"));
  }

  @ParameterizedTest
  @ValueSource(ints = {EchoDevice.QUEUES, 64, 0xffff, 0x10000, -1, Integer.MIN_VALUE})
  void ignoresNotificationsOfQueuesThatDoNotExist(int queue) {
    driver.negotiate(-1);
    driver.write(NOTIFY, queue);
    driver.driverOk();
    driver.write(NOTIFY, queue);
    driver.transport().notifyQueue(queue);
    assertThat(device.events()).noneMatch(event -> event.startsWith("notified"));
  }

  @Test
  void showsTheInterruptStatusBeforeTheInterrupt() {
    int[] seen = new int[1];
    EchoDevice echo = new EchoDevice();
    MmioTransport[] transport = new MmioTransport[1];
    transport[0] =
        new MmioTransport(
            echo, driver.memory(), () -> seen[0] = transport[0].read(INTERRUPT_STATUS, 4));
    for (int status : new int[] {1, 3}) {
      transport[0].write(STATUS, 4, status);
    }
    transport[0].write(0x24, 4, 1);
    transport[0].write(0x20, 4, 1);
    transport[0].write(STATUS, 4, FEATURES_DONE);
    transport[0].write(STATUS, 4, RUNNING);
    InterruptLine line = echo.interrupts();
    assertThat(line).isNotNull();
    line.queueUsed(0);
    assertThat(seen[0]).isEqualTo(1);
    line.configChanged();
    assertThat(seen[0]).isEqualTo(3);
    transport[0].write(ACK, 4, 1);
    assertThat(transport[0].read(INTERRUPT_STATUS, 4)).isEqualTo(2);
    transport[0].close();
  }

  @Test
  void raisesNothingForADeviceThatWasReset() {
    driver.start();
    InterruptLine line = device.interrupts();
    assertThat(line).isNotNull();
    driver.write(STATUS, 0);
    line.queueUsed(0);
    line.configChanged();
    assertThat(driver.interrupts()).isZero();
    assertThat(driver.read(INTERRUPT_STATUS)).isZero();
  }

  @Test
  void countsConfigurationGenerations() {
    driver.start();
    int before = driver.read(0xfc);
    InterruptLine line = device.interrupts();
    assertThat(line).isNotNull();
    line.configChanged();
    assertThat(driver.read(0xfc)).isNotEqualTo(before);
  }

  // Accesses.

  @ParameterizedTest
  @CsvSource({"0, 1", "0, 2", "0, 8", "1, 4", "2, 4", "0x70, 1", "0x72, 2", "-4, 4", "0x1000, 4"})
  void readsNothingWhereAnAccessIsIllegal(String offset, int width) {
    assertThat(driver.transport().read(Integer.decode(offset), width)).isZero();
  }

  @Test
  void ignoresWritesOfAnotherWidthOrAlignment() {
    driver.transport().write(STATUS, 1, 1);
    driver.transport().write(STATUS, 2, 1);
    driver.transport().write(STATUS, 8, 1);
    driver.transport().write(STATUS + 1, 4, 1);
    driver.transport().write(-STATUS, 4, 1);
    assertThat(driver.read(STATUS)).isZero();
    driver.start();
    driver.transport().write(NOTIFY, 2, 0);
    assertThat(device.events()).doesNotContain("notified 0");
  }

  @ParameterizedTest
  @CsvSource({
    "0x100, 1, 0x01",
    "0x100, 2, 0x0201",
    "0x100, 4, 0x04030201",
    "0x104, 1, 0x05",
    "0x104, 4, 0x05",
    "0x103, 2, 0x0504",
    "0x105, 4, 0",
    "0xfff, 4, 0",
    "0x1000, 4, 0",
    "0x7fffffff, 4, 0",
    "0x100, 3, 0",
    "0x100, 8, 0",
    "0x100, 0, 0",
  })
  void readsConfigurationOfAnyWidthAndZeroBehindIt(String offset, int width, String value) {
    assertThat(driver.transport().read(Integer.decode(offset), width))
        .isEqualTo(Integer.decode(value));
  }

  @Test
  void passesConfigurationWritesOn() {
    driver.transport().write(0x104, 2, 7);
    driver.transport().write(0x104, 8, 7);
    driver.transport().write(0x1000, 4, 7);
    assertThat(device.events()).containsExactly("config 4 2 7");
  }

  // The end.

  @Test
  void closesTheDeviceOnceAndIsDeadAfterwards() {
    driver.start();
    Virtqueue queue = device.queues()[0];
    driver.close();
    driver.close();
    assertThat(device.events()).filteredOn("close"::equals).hasSize(1);
    assertThat(queue).isNotNull();
    assertThat(queue.stopped()).isTrue();
    int events = device.events().size();
    driver.ring(0).add(driver.writable(1));
    driver.write(NOTIFY, 0);
    driver.write(STATUS, 0);
    driver.write(STATUS, 1);
    assertThat(device.events()).hasSize(events);
  }

  @Test
  void keepsAFailureOfTheDevicesEndFromItsOwner() {
    driver.start();
    device.failWith(new IllegalStateException("on purpose"));
    driver.close();
    assertThat(device.events()).endsWith("close");
  }

  @Test
  void givesUpWhatItWorksOnWhenItIsAbandonedAndStartsAgainAfterAReset() {
    driver.start();
    List<Boolean> abandoned = new ArrayList<>();
    device.beforeEcho(
        chain -> {
          driver.transport().abandon();
          abandoned.add(chain.isAbandoned());
        });
    driver.ring(0).add(driver.writable(1));
    driver.ring(0).add(driver.writable(1));
    driver.write(NOTIFY, 0);
    assertThat(abandoned).containsExactly(true);
    assertThat(driver.interrupts()).isZero();
    device.beforeEcho(chain -> {});
    driver.write(STATUS, 0);
    driver.start();
    driver.ring(0).add(driver.writable(1));
    driver.write(NOTIFY, 0);
    assertThat(driver.interrupts()).isPositive();
  }
}
