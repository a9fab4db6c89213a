package io.github.avf4j.virtio.vsock;

import static io.github.avf4j.virtio.vsock.VsockFixture.PORT;
import static io.github.avf4j.virtio.vsock.VsockFixture.TIME;
import static io.github.avf4j.virtio.vsock.VsockFixture.buffer;
import static io.github.avf4j.virtio.vsock.VsockFixture.readText;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.VsockChannel;
import io.github.avf4j.VsockConnectException;
import io.github.avf4j.VsockConnectException.Cause;
import io.github.avf4j.VsockListener;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** How connections, listeners and the device come to be and to an end. */
class VsockLifecycleTest {
  private final VsockFixture vsock = new VsockFixture();
  private final GuestDriver driver = vsock.driver;

  @AfterEach
  void close() {
    vsock.close();
  }

  @Test
  void failsToConnectWhenTheGuestRefuses() throws Exception {
    Blocked<VsockChannel> connecting = vsock.blocked(() -> vsock.device.host().connect(PORT, TIME));
    Packet request = driver.receive();
    driver.send(Packet.ofGuest(PORT, request.sourcePort(), Operation.RST, 0, 0));
    assertFails(connecting, Cause.REFUSED);
    vsock.expectNothing();
  }

  @Test
  void failsToConnectWhenTheGuestIsSilent() {
    assertThatThrownBy(() -> vsock.device.host().connect(PORT, Duration.ofMillis(20)))
        .asInstanceOf(InstanceOfAssertFactories.type(VsockConnectException.class))
        .satisfies(
            e -> {
              assertThat(e.reason()).isEqualTo(Cause.TIMED_OUT);
              assertThat(e.port()).isEqualTo(PORT);
            });
    Packet request = driver.receive();
    assertThat(driver.receive().is(Operation.RST)).isTrue();
    driver.send(Packet.ofGuest(PORT, request.sourcePort(), Operation.RESPONSE, 100, 0));
    assertThat(driver.receive().is(Operation.RST)).isTrue();
  }

  @Test
  void givesUpToConnectWhenTheThreadIsInterrupted() throws Exception {
    Blocked<VsockChannel> connecting = vsock.blocked(() -> vsock.device.host().connect(PORT, TIME));
    connecting.thread.interrupt();
    assertFails(connecting, Cause.TIMED_OUT);
  }

  @Test
  void connectsOnceTheDriverIsUp() throws Exception {
    VsockDevice device = new VsockDevice(GuestDriver.config().build());
    Blocked<VsockChannel> connecting = vsock.blocked(() -> device.host().connect(PORT, TIME));
    assertThatThrownBy(() -> device.host().connect(PORT, Duration.ZERO))
        .isInstanceOf(VsockConnectException.class);
    device.reset();
    try (GuestDriver late = GuestDriver.sync(device)) {
      Packet request = late.receive();
      assertThat(request.is(Operation.REQUEST)).isTrue();
      late.send(Packet.ofGuest(PORT, request.sourcePort(), Operation.RESPONSE, 100, 0));
      connecting.get().write(buffer("hi"));
      assertThat(late.receive().is(Operation.RW)).isTrue();
    }
  }

  @Test
  void refusesMoreConnectionsThanItMayHave() throws Exception {
    try (VsockFixture small = new VsockFixture(GuestDriver.config().maxConnections(2));
        VsockListener listener = small.device.host().listen(1)) {
      VsockChannel first = small.connect(100);
      small.connect(100);
      assertThatThrownBy(() -> small.device.host().connect(PORT, TIME))
          .asInstanceOf(InstanceOfAssertFactories.type(VsockConnectException.class))
          .satisfies(e -> assertThat(e.reason()).isEqualTo(Cause.TOO_MANY));
      small.driver.send(Packet.ofGuest(5, 1, Operation.REQUEST, 0, 0));
      assertThat(small.driver.receive().is(Operation.RST)).isTrue();
      first.close();
      small.expect(first, Operation.SHUTDOWN);
      small.driver.send(small.packet(first, Operation.RST));
      small.accept(listener, 5);
    }
  }

  @Test
  void refusesAPortThatIsTakenOrIsNone() {
    VsockListener listener = vsock.device.host().listen(1);
    assertThatThrownBy(() -> vsock.device.host().listen(1))
        .isInstanceOf(IllegalArgumentException.class);
    listener.close();
    listener.close();
    vsock.device.host().listen(1).close();
    assertThatThrownBy(() -> vsock.device.host().listen(-1))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> vsock.device.host().connect(1L << 32, TIME))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void refusesWhatWaitsInTheBacklogWhenTheListenerCloses() throws Exception {
    VsockListener listener = vsock.device.host().listen(1);
    VsockChannel accepted = vsock.accept(listener, 3);
    driver.send(Packet.ofGuest(4, 1, Operation.REQUEST, 100, 0));
    assertThat(driver.receive().is(Operation.RESPONSE)).isTrue();
    Blocked<Optional<VsockChannel>> none;
    listener.close();
    Packet refusal = driver.receive();
    assertThat(refusal.is(Operation.RST)).isTrue();
    assertThat(refusal.targetPort()).isEqualTo(4);
    vsock.sendData(accepted, "lives on");
    assertThat(readText(accepted)).isEqualTo("lives on");
    assertThat(listener.accept(TIME)).isEmpty();
    VsockListener other = vsock.device.host().listen(2);
    none = vsock.blocked(() -> other.accept(TIME));
    other.close();
    assertThat(none.get()).isEmpty();
  }

  @Test
  void acceptsWhatTheGuestHasAlreadyClosedButNotWhatItReset() throws Exception {
    VsockListener listener = vsock.device.host().listen(1);
    Packet closing = Packet.ofGuest(3, 1, Operation.REQUEST, 100, 0);
    driver.send(closing);
    driver.send(Packet.ofGuest(3, 1, Operation.RW, 100, 0).withData(VsockFixture.bytes("bye")));
    driver.send(Packet.ofGuest(3, 1, Operation.SHUTDOWN, 100, 0).withFlags(3));
    driver.send(Packet.ofGuest(4, 1, Operation.REQUEST, 100, 0));
    driver.send(Packet.ofGuest(4, 1, Operation.RST, 0, 0));
    VsockChannel channel = listener.accept(TIME).orElseThrow();
    assertThat(readText(channel)).isEqualTo("bye");
    assertThat(readText(channel)).isEqualTo("end");
    assertThat(listener.accept(Duration.ofMillis(1))).isEmpty();
    listener.close();
  }

  @Test
  void closesAChannelWhoseReaderIsInterrupted() throws Exception {
    VsockChannel channel = vsock.connect(100);
    Blocked<String> reading = vsock.blocked(() -> readText(channel));
    reading.thread.interrupt();
    assertThatThrownBy(reading::get).hasRootCauseInstanceOf(ClosedByInterruptException.class);
    assertThat(channel.isOpen()).isFalse();
    vsock.expect(channel, Operation.SHUTDOWN);
  }

  @Test
  void closesAChannelWhoseWriterIsInterrupted() throws Exception {
    VsockChannel channel = vsock.connect(0);
    Blocked<Integer> writing = vsock.blocked(() -> channel.write(buffer("x")));
    writing.thread.interrupt();
    assertThatThrownBy(writing::get).hasRootCauseInstanceOf(ClosedByInterruptException.class);
    assertThat(channel.isOpen()).isFalse();
  }

  @Test
  void wakesThreadsThatWaitWhenTheChannelCloses() throws Exception {
    VsockChannel channel = vsock.connect(0);
    Blocked<String> reading = vsock.blocked(() -> readText(channel));
    Blocked<Integer> writing = vsock.blocked(() -> channel.write(buffer("x")));
    channel.close();
    assertThatThrownBy(reading::get).hasRootCauseInstanceOf(AsynchronousCloseException.class);
    assertThatThrownBy(writing::get).hasRootCauseInstanceOf(AsynchronousCloseException.class);
    assertThatThrownBy(() -> channel.write(buffer("x"))).isInstanceOf(ClosedChannelException.class);
  }

  @Test
  void failsConnectionsButNotListenersWhenTheDriverResets() throws Exception {
    VsockListener listener = vsock.device.host().listen(1);
    VsockChannel channel = vsock.connect(10);
    VsockChannel other = vsock.connect(10);
    vsock.sendData(other, "kept");
    Blocked<String> reading = vsock.blocked(() -> readText(channel));
    Blocked<Integer> writing = vsock.blocked(() -> channel.write(ByteBuffer.allocate(1 << 20)));
    Blocked<VsockChannel> connecting = vsock.blocked(() -> vsock.device.host().connect(PORT, TIME));
    vsock.device.reset();
    assertThatThrownBy(reading::get).hasRootCauseInstanceOf(IOException.class);
    assertThatThrownBy(writing::get).hasRootCauseInstanceOf(IOException.class);
    assertFails(connecting, Cause.REFUSED);
    assertThat(readText(other)).isEqualTo("kept");
    assertThatThrownBy(() -> readText(other)).isInstanceOf(IOException.class);
    try (GuestDriver next = GuestDriver.sync(vsock.device)) {
      next.send(Packet.ofGuest(3, 1, Operation.REQUEST, 100, 0));
      assertThat(next.receive().is(Operation.RESPONSE)).isTrue();
      assertThat(listener.accept(TIME)).isPresent();
    }
  }

  @Test
  void wakesEverybodyWhenTheMachineEnds() throws Exception {
    VsockListener listener = vsock.device.host().listen(1);
    VsockChannel channel = vsock.connect(10);
    Blocked<String> reading = vsock.blocked(() -> readText(channel));
    Blocked<Integer> writing = vsock.blocked(() -> channel.write(ByteBuffer.allocate(1 << 20)));
    Blocked<VsockChannel> connecting = vsock.blocked(() -> vsock.device.host().connect(PORT, TIME));
    Blocked<Optional<VsockChannel>> accepting = vsock.blocked(() -> listener.accept(TIME));
    vsock.device.close();
    vsock.device.close();
    assertThatThrownBy(reading::get).hasRootCauseInstanceOf(IOException.class);
    assertThatThrownBy(writing::get).hasRootCauseInstanceOf(IOException.class);
    assertFails(connecting, Cause.STOPPED);
    assertThat(accepting.get()).isEmpty();
    assertThatThrownBy(() -> vsock.device.host().connect(PORT, TIME))
        .asInstanceOf(InstanceOfAssertFactories.type(VsockConnectException.class))
        .satisfies(e -> assertThat(e.reason()).isEqualTo(Cause.STOPPED));
    assertThat(vsock.device.host().listen(5).accept(TIME)).isEmpty();
    vsock.device.queueNotified(0);
    vsock.device.queueNotified(1);
    vsock.device.reset();
    channel.close();
  }

  private static void assertFails(Blocked<VsockChannel> connecting, Cause cause) {
    assertThatThrownBy(connecting::get)
        .isInstanceOf(ExecutionException.class)
        .extracting(Throwable::getCause)
        .asInstanceOf(InstanceOfAssertFactories.type(VsockConnectException.class))
        .satisfies(e -> assertThat(e.reason()).isEqualTo(cause));
  }
}
