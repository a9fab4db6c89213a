package io.github.avf4j.virtio.vsock;

import static io.github.avf4j.virtio.vsock.VsockFixture.BUFFER;
import static io.github.avf4j.virtio.vsock.VsockFixture.TIME;
import static io.github.avf4j.virtio.vsock.VsockFixture.buffer;
import static io.github.avf4j.virtio.vsock.VsockFixture.readText;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.DataSize;
import io.github.avf4j.VsockChannel;
import io.github.avf4j.VsockListener;
import io.github.avf4j.virtio.testing.Segment;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Guests that break rules: they end their own connections and nothing else. */
class VsockHostileGuestTest {
  private static final int FLOOD = 100_000;

  private final VsockFixture vsock =
      new VsockFixture(GuestDriver.config().receiveBuffer(DataSize.ofKibibytes(64)));
  private final GuestDriver driver = vsock.driver;

  @AfterEach
  void close() {
    vsock.close();
  }

  @Test
  void stopsAtTheCreditAndAsksForMoreOnce() throws Exception {
    VsockChannel channel = vsock.connect(10);
    Blocked<Integer> writing = vsock.blocked(() -> channel.write(buffer("0123456789abcdef")));
    assertThat(vsock.expect(channel, Operation.RW).data()).hasSize(10);
    vsock.expect(channel, Operation.CREDIT_REQUEST);
    vsock.expectNothing();
    Packet update =
        Packet.ofGuest(channel.guestPort(), channel.hostPort(), Operation.CREDIT_UPDATE, 10, 4);
    driver.send(update);
    assertThat(vsock.expect(channel, Operation.RW).data()).hasSize(4);
    driver.send(
        Packet.ofGuest(channel.guestPort(), channel.hostPort(), Operation.CREDIT_UPDATE, 10, 10));
    assertThat(writing.get()).isEqualTo(16);
  }

  @Test
  void resetsAGuestThatSendsMoreThanItsCredit() throws Exception {
    VsockChannel channel = vsock.connect(10);
    Packet data = vsock.packet(channel, Operation.RW).withData(new byte[40_000]);
    driver.send(data);
    driver.send(data);
    vsock.expect(channel, Operation.RST);
    ByteBuffer target = ByteBuffer.allocate(80_000);
    assertThat(channel.read(target)).isEqualTo(40_000);
    assertThatThrownBy(() -> channel.read(target))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("room");
  }

  @Test
  void resetsAGuestThatClaimsToHaveReadWhatWasNotSent() throws Exception {
    VsockChannel channel = vsock.connect(10);
    driver.send(
        Packet.ofGuest(channel.guestPort(), channel.hostPort(), Operation.CREDIT_UPDATE, 10, 1));
    vsock.expect(channel, Operation.RST);
  }

  @Test
  void tellsTheGuestOfRoomAsTheHostReads() throws Exception {
    VsockChannel channel = vsock.connect(10);
    driver.send(vsock.packet(channel, Operation.RW).withData(new byte[60_000]));
    vsock.expectNothing();
    assertThat(channel.read(ByteBuffer.allocate(10_000))).isEqualTo(10_000);
    vsock.expectNothing();
    assertThat(channel.read(ByteBuffer.allocate(10_000))).isEqualTo(10_000);
    Packet update = vsock.expect(channel, Operation.CREDIT_UPDATE);
    assertThat(update.forwarded()).isEqualTo(20_000);
    assertThat(update.bufferSize()).isEqualTo(65536);
    driver.send(vsock.packet(channel, Operation.CREDIT_REQUEST));
    assertThat(vsock.expect(channel, Operation.CREDIT_UPDATE).forwarded()).isEqualTo(20_000);
  }

  @Test
  void resetsAGuestThatAnswersOrRequestsTwiceOrSendsAfterItsEnd() throws Exception {
    VsockChannel first = vsock.connect(10);
    driver.send(vsock.packet(first, Operation.RESPONSE));
    vsock.expect(first, Operation.RST);
    VsockChannel second = vsock.connect(10);
    driver.send(vsock.packet(second, Operation.REQUEST));
    vsock.expect(second, Operation.RST);
    VsockChannel third = vsock.connect(10);
    driver.send(vsock.packet(third, Operation.SHUTDOWN).withFlags(2));
    vsock.sendData(third, "more");
    vsock.expect(third, Operation.RST);
    assertThat(readText(third)).isEqualTo("end");
  }

  @Test
  void holdsNoMoreThanTheBacklogOfAFloodOfRequests() throws Exception {
    int accepted = 0;
    int refused = 0;
    try (VsockListener listener = vsock.device.host().listen(1)) {
      for (int i = 0; i < FLOOD || accepted + refused < FLOOD; ) {
        if (i < FLOOD && driver.canSend()) {
          driver.send(Packet.ofGuest(i++, 1, Operation.REQUEST, BUFFER, 0));
          continue;
        }
        // The rx queue was full for long: the device has held answers back, not dropped them.
        Packet answer = driver.receive();
        accepted += answer.is(Operation.RESPONSE) ? 1 : 0;
        refused += answer.is(Operation.RST) ? 1 : 0;
      }
      assertThat(accepted).isEqualTo(128);
      assertThat(refused).isEqualTo(FLOOD - 128);
      assertThat(listener.accept(TIME)).isPresent();
    }
  }

  @Test
  void keepsNothingOfAStormOfRequestsAndResets() throws Exception {
    try (VsockListener listener = vsock.device.host().listen(1)) {
      for (int i = 0; i < FLOOD / 2; i++) {
        driver.send(Packet.ofGuest(i, 1, Operation.REQUEST, BUFFER, 0));
        driver.send(Packet.ofGuest(i, 1, Operation.RST, BUFFER, 0));
        driver.send(Packet.ofGuest(i, 2, Operation.RST, BUFFER, 0));
        if (i % 32 == 0) {
          while (driver.poll() != null) {}
        }
      }
      assertThat(listener.accept(Duration.ZERO)).isEmpty();
      while (driver.poll() != null) {}
      VsockChannel channel = vsock.accept(listener, 7);
      vsock.sendData(channel, "fine");
      assertThat(readText(channel)).isEqualTo("fine");
    }
  }

  @Test
  void givesAConnectionThatNobodyAcceptedLittleMemory() throws Exception {
    try (VsockListener listener = vsock.device.host().listen(1)) {
      driver.send(Packet.ofGuest(3, 1, Operation.REQUEST, 100, 0));
      assertThat(driver.receive().bufferSize()).isEqualTo(16 << 10);
      driver.send(Packet.ofGuest(3, 1, Operation.RW, 100, 0).withData(new byte[16 << 10]));
      VsockChannel channel = listener.accept(TIME).orElseThrow();
      assertThat(vsock.expect(channel, Operation.CREDIT_UPDATE).bufferSize()).isEqualTo(64 << 10);
    }
  }

  @Test
  void failsConnectionsWhenTheGuestBreaksItsTxRing() throws Exception {
    VsockChannel channel = vsock.connect(10);
    Blocked<String> reading = vsock.blocked(() -> readText(channel));
    driver.tx().jumpTo(10_000);
    vsock.device.queueNotified(1);
    assertThat(driver.txBroken()).isTrue();
    assertThatThrownBy(reading::get).hasRootCauseInstanceOf(IOException.class);
  }

  @Test
  void survivesRxBuffersThatAreUseless() throws Exception {
    VsockDevice device = new VsockDevice(GuestDriver.config().build());
    try (GuestDriver bad = new GuestDriver(device, 16, 0, true, false)) {
      Blocked<Optional<?>> waiting =
          vsock.blocked(
              () -> {
                try {
                  return Optional.of(device.host().connect(1, Duration.ofMillis(500)));
                } catch (RuntimeException e) {
                  return Optional.empty();
                }
              });
      for (int i = 0; i < 100; i++) {
        bad.rx().add(new Segment(4096, 43, true));
        bad.rx().add(new Segment(4096, 100, false));
        bad.rx().add(new Segment(-100, 100, true));
        device.queueNotified(0);
      }
      assertThat(waiting.get()).isEmpty();
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4})
  void survivesRandomPackets(long seed) throws Exception {
    Random random = new Random(seed);
    try (VsockListener listener = vsock.device.host().listen(1)) {
      VsockChannel[] channels = new VsockChannel[4];
      for (int i = 0; i < 20_000; i++) {
        int slot = random.nextInt(channels.length);
        if (channels[slot] == null || random.nextInt(200) == 0) {
          while (driver.poll() != null) {}
          if (channels[slot] != null) {
            channels[slot].close();
          }
          channels[slot] = listener.accept(Duration.ZERO).orElse(null);
        }
        VsockChannel channel = channels[slot];
        Packet packet =
            Packet.ofGuest(
                    channel != null && random.nextBoolean()
                        ? channel.guestPort()
                        : random.nextInt(200),
                    random.nextInt(20) == 0 ? random.nextInt() : 1,
                    Operation.RW,
                    random.nextInt(5) == 0 ? random.nextInt() : 100_000,
                    random.nextInt(50) == 0 ? random.nextInt() : 0)
                .withData(new byte[random.nextInt(3000)]);
        if (random.nextInt(3) == 0) {
          packet = packet.withOperation(random.nextInt(9));
        }
        if (random.nextInt(20) == 0) {
          packet = packet.withLength(random.nextInt() & 0xffff_ffffL);
        }
        if (random.nextInt(20) == 0) {
          packet = packet.withFlags(random.nextInt());
        }
        if (random.nextInt(30) == 0) {
          packet = packet.withType(random.nextInt(4));
        }
        byte[] bytes = packet.toBytes();
        while (random.nextInt(10) == 0) {
          bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
        }
        if (!driver.canSend()) {
          while (driver.poll() != null) {}
        }
        driver.sendRaw(bytes, 1 + random.nextInt(bytes.length - 1));
        if (random.nextInt(10) == 0) {
          while (driver.poll() != null) {}
        }
      }
      for (VsockChannel channel : channels) {
        if (channel != null) {
          channel.close();
        }
      }
      while (driver.poll() != null) {}
      vsock.device.reset();
    }
    try (GuestDriver next = GuestDriver.sync(vsock.device);
        VsockListener listener = vsock.device.host().listen(2)) {
      next.send(Packet.ofGuest(3, 2, Operation.REQUEST, 100, 0));
      assertThat(next.receive().is(Operation.RESPONSE)).isTrue();
      listener.accept(TIME).orElseThrow().write(buffer("works"));
      assertThat(next.receive().is(Operation.RW)).isTrue();
    }
  }
}
