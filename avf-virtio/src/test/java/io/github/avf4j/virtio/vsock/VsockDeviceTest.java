package io.github.avf4j.virtio.vsock;

import static io.github.avf4j.virtio.vsock.VsockFixture.PORT;
import static io.github.avf4j.virtio.vsock.VsockFixture.TIME;
import static io.github.avf4j.virtio.vsock.VsockFixture.buffer;
import static io.github.avf4j.virtio.vsock.VsockFixture.bytes;
import static io.github.avf4j.virtio.vsock.VsockFixture.readText;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.Cid;
import io.github.avf4j.VsockChannel;
import io.github.avf4j.VsockListener;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The device packet by packet: what it answers, and what the host's program sees. */
class VsockDeviceTest {
  private final VsockFixture vsock = new VsockFixture();
  private final GuestDriver driver = vsock.driver;

  @AfterEach
  void close() {
    vsock.close();
  }

  @Test
  void showsTheAddressOfTheGuestInItsConfiguration() {
    VsockDevice device = new VsockDevice(VsockConfig.builder().cid(new Cid(0xFEDC_BA98L)).build());
    assertThat(device.deviceId()).isEqualTo(19);
    assertThat(device.queueCount()).isEqualTo(3);
    assertThat(device.features()).isZero();
    assertThat(device.readConfig(0, 4)).isEqualTo(0xFEDC_BA98);
    assertThat(device.readConfig(4, 4)).isZero();
    assertThat(device.readConfig(1, 1)).isEqualTo(0xBA);
    assertThat(device.readConfig(2, 2)).isEqualTo(0xFEDC);
    assertThat(device.readConfig(7, 4)).isZero();
    assertThat(device.readConfig(Integer.MAX_VALUE, 4)).isZero();
    device.close();
  }

  @Test
  void carriesDataBothWaysOnAConnectionOfTheHost() throws Exception {
    VsockChannel channel = vsock.connect(1000);
    assertThat(channel.guestPort()).isEqualTo(PORT);
    channel.write(buffer("hello"));
    assertThat(vsock.expect(channel, Operation.RW).data()).isEqualTo(bytes("hello"));
    vsock.sendData(channel, "world");
    assertThat(readText(channel)).isEqualTo("world");
  }

  @Test
  void carriesDataBothWaysOnAConnectionOfTheGuest() throws Exception {
    try (VsockListener listener = vsock.device.host().listen(4294967295L)) {
      assertThat(listener.port()).isEqualTo(4294967295L);
      VsockChannel channel = vsock.accept(listener, 4294967294L);
      assertThat(channel.guestPort()).isEqualTo(4294967294L);
      assertThat(channel.hostPort()).isEqualTo(4294967295L);
      vsock.sendData(channel, "hello");
      assertThat(readText(channel)).isEqualTo("hello");
      channel.write(buffer("world"));
      assertThat(vsock.expect(channel, Operation.RW).data()).isEqualTo(bytes("world"));
    }
  }

  @Test
  void givesDataToAReaderThatWaits() throws Exception {
    VsockChannel channel = vsock.connect(1000);
    Blocked<String> reading = vsock.blocked(() -> readText(channel));
    vsock.sendData(channel, "late");
    assertThat(reading.get()).isEqualTo("late");
  }

  @Test
  void keepsWhatDoesNotFitTheReadersBuffer() throws Exception {
    VsockChannel channel = vsock.connect(1000);
    ByteBuffer small = ByteBuffer.allocateDirect(3);
    Blocked<Integer> reading = vsock.blocked(() -> channel.read(small));
    vsock.sendData(channel, "abcdefg");
    assertThat(reading.get()).isEqualTo(3);
    assertThat(small.hasRemaining()).isFalse();
    assertThat(readText(channel)).isEqualTo("defg");
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 7, 43, 44, 45, 50})
  void takesAPacketHoweverItIsSplitOverDescriptors(int first) throws Exception {
    VsockChannel channel = vsock.connect(1000);
    byte[] packet = vsock.packet(channel, Operation.RW).withData(bytes("split me")).toBytes();
    driver.sendRaw(packet, first);
    int[] ones = new int[packet.length - 1];
    Arrays.fill(ones, 1);
    driver.sendRaw(packet, ones);
    assertThat(readText(channel)).isEqualTo("split mesplit me");
  }

  @Test
  void refusesARequestToAPortOnWhichNobodyListens() {
    driver.send(Packet.ofGuest(1, 2, Operation.REQUEST, 100, 0));
    Packet answer = driver.receive();
    assertThat(answer.is(Operation.RST)).isTrue();
    assertThat(answer.sourcePort()).isEqualTo(2);
    assertThat(answer.targetPort()).isEqualTo(1);
    assertThat(answer.type()).isEqualTo(1);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 2, 4, 5, 6, 7, 8, 65535})
  void answersAnyStrayPacketButAnRstWithRst(int operation) {
    driver.send(Packet.ofGuest(1, 2, Operation.RW, 0, 0).withOperation(operation));
    assertThat(driver.receive().is(Operation.RST)).isTrue();
    driver.send(Packet.ofGuest(1, 2, Operation.RST, 0, 0));
    vsock.expectNothing();
  }

  @Test
  void refusesOtherTypesInTheirOwnType() {
    driver.send(Packet.ofGuest(1, 2, Operation.REQUEST, 0, 0).withType(2));
    Packet answer = driver.receive();
    assertThat(answer.is(Operation.RST)).isTrue();
    assertThat(answer.type()).isEqualTo(2);
    driver.send(Packet.ofGuest(1, 2, Operation.RST, 0, 0).withType(2));
    vsock.expectNothing();
  }

  @Test
  void dropsPacketsOfAndToOthers() {
    Packet packet = Packet.ofGuest(1, 2, Operation.REQUEST, 0, 0);
    driver.send(packet.withCids(43, 2));
    driver.send(packet.withCids(GuestDriver.CID, 3));
    driver.send(packet.withCids(GuestDriver.CID | 1L << 40, 2));
    driver.sendRaw(new byte[43]);
    vsock.expectNothing();
  }

  @Test
  void resetsAConnectionWhosePacketIsOfAnUnknownKind() throws Exception {
    VsockChannel channel = vsock.connect(1000);
    driver.send(vsock.packet(channel, Operation.RW).withOperation(99));
    vsock.expect(channel, Operation.RST);
    assertThatThrownBy(() -> readText(channel)).isInstanceOf(IOException.class);
  }

  @ParameterizedTest
  @ValueSource(longs = {6, 65537, 0xFFFF_FFFFL, 0x8000_0000L})
  void resetsAConnectionWhoseGuestLiesAboutALength(long length) throws Exception {
    VsockChannel channel = vsock.connect(1000);
    vsock.sendData(channel, "good");
    driver.send(vsock.packet(channel, Operation.RW).withData(bytes("short")).withLength(length));
    vsock.expect(channel, Operation.RST);
    assertThat(readText(channel)).isEqualTo("good");
    assertThatThrownBy(() -> readText(channel))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("length is wrong");
    assertThatThrownBy(() -> channel.write(buffer("x"))).isInstanceOf(IOException.class);
  }

  @Test
  void ignoresWhatFollowsTheDataInAChain() throws Exception {
    VsockChannel channel = vsock.connect(1000);
    driver.send(vsock.packet(channel, Operation.RW).withData(bytes("goodbad")).withLength(4));
    assertThat(readText(channel)).isEqualTo("good");
  }

  @Test
  void tellsTheHostThatTheGuestSendsNoMore() throws Exception {
    VsockChannel channel = vsock.connect(1000);
    vsock.sendData(channel, "last");
    driver.send(vsock.packet(channel, Operation.SHUTDOWN).withFlags(2));
    assertThat(readText(channel)).isEqualTo("last");
    assertThat(readText(channel)).isEqualTo("end");
    assertThat(readText(channel)).isEqualTo("end");
    channel.write(buffer("still here"));
    vsock.expect(channel, Operation.RW);
    channel.shutdownOutput();
    assertThat(vsock.expect(channel, Operation.SHUTDOWN).flags()).isEqualTo(2);
    channel.close();
    assertThat(vsock.expect(channel, Operation.SHUTDOWN).flags()).isEqualTo(3);
  }

  @Test
  void tellsTheGuestThatTheHostSendsNoMore() throws Exception {
    VsockChannel channel = vsock.connect(1000);
    channel.write(buffer("last"));
    channel.shutdownOutput();
    channel.shutdownOutput();
    assertThat(vsock.expect(channel, Operation.RW).data()).isEqualTo(bytes("last"));
    assertThat(vsock.expect(channel, Operation.SHUTDOWN).flags()).isEqualTo(2);
    vsock.expectNothing();
    assertThatThrownBy(() -> channel.write(buffer("x"))).isInstanceOf(ClosedChannelException.class);
    assertThat(channel.isOpen()).isTrue();
    vsock.sendData(channel, "answer");
    driver.send(vsock.packet(channel, Operation.SHUTDOWN).withFlags(2));
    assertThat(readText(channel)).isEqualTo("answer");
    assertThat(readText(channel)).isEqualTo("end");
  }

  @Test
  void failsWritesOnceTheGuestReadsNoMore() throws Exception {
    VsockChannel channel = vsock.connect(2);
    Blocked<Integer> writing = vsock.blocked(() -> channel.write(buffer("too much")));
    driver.send(vsock.packet(channel, Operation.SHUTDOWN).withFlags(1));
    assertThatThrownBy(writing::get).hasRootCauseInstanceOf(IOException.class);
    vsock.sendData(channel, "but this");
    assertThat(readText(channel)).isEqualTo("but this");
  }

  @Test
  void answersTheGuestsCloseWithRstAndKeepsWhatItSent() throws Exception {
    VsockChannel channel = vsock.connect(1000);
    vsock.sendData(channel, "last words");
    driver.send(vsock.packet(channel, Operation.SHUTDOWN).withFlags(3));
    vsock.expect(channel, Operation.RST);
    channel.shutdownOutput();
    assertThat(readText(channel)).isEqualTo("last words");
    assertThat(readText(channel)).isEqualTo("end");
    assertThatThrownBy(() -> channel.write(buffer("x"))).isInstanceOf(IOException.class);
    channel.close();
    vsock.expectNothing();
  }

  @Test
  void sendsWhatWasWrittenBeforeTheClose() throws Exception {
    VsockChannel channel = vsock.connect(1000);
    channel.write(buffer("written"));
    channel.close();
    channel.close();
    assertThat(channel.isOpen()).isFalse();
    assertThat(vsock.expect(channel, Operation.RW).data()).isEqualTo(bytes("written"));
    assertThat(vsock.expect(channel, Operation.SHUTDOWN).flags()).isEqualTo(3);
    assertThatThrownBy(() -> readText(channel)).isInstanceOf(ClosedChannelException.class);
    driver.send(vsock.packet(channel, Operation.RST));
    vsock.expectNothing();
  }

  @Test
  void discardsWhatComesAfterACloseWithUnreadData() throws Exception {
    VsockChannel channel = vsock.connect(1000);
    vsock.sendData(channel, "unread");
    channel.close();
    vsock.expect(channel, Operation.SHUTDOWN);
    for (int i = 0; i < 100; i++) {
      driver.send(vsock.packet(channel, Operation.RW).withData(new byte[60_000]));
    }
    vsock.expectNothing();
    driver.send(vsock.packet(channel, Operation.SHUTDOWN).withFlags(3));
    vsock.expect(channel, Operation.RST);
    driver.send(vsock.packet(channel, Operation.RW));
    vsock.expect(channel, Operation.RST);
  }

  @Test
  void resetsAClosedConnectionThatTheGuestDoesNotLetGo() throws Exception {
    try (VsockFixture quick =
        new VsockFixture(GuestDriver.config().linger(Duration.ofMillis(30)))) {
      VsockChannel first = quick.connect(1000);
      VsockChannel second = quick.connect(1000);
      first.close();
      quick.expect(first, Operation.SHUTDOWN);
      second.close();
      quick.expect(second, Operation.SHUTDOWN);
      quick.expect(first, Operation.RST);
      quick.expect(second, Operation.RST);
    }
  }

  @Test
  void letsAGuestUseThePortsOfALingeringConnectionAgain() throws Exception {
    try (VsockListener listener = vsock.device.host().listen(8)) {
      VsockChannel old = vsock.accept(listener, 9);
      old.close();
      vsock.expect(old, Operation.SHUTDOWN);
      VsockChannel made = vsock.accept(listener, 9);
      vsock.sendData(made, "new");
      assertThat(readText(made)).isEqualTo("new");
    }
  }

  @Test
  void readsNothingIntoAFullBufferAndRefusesAReadOnlyOne() throws Exception {
    VsockChannel channel = vsock.connect(1000);
    assertThat(channel.read(ByteBuffer.allocate(0))).isZero();
    assertThat(channel.write(ByteBuffer.allocate(0))).isZero();
    assertThatThrownBy(() -> channel.read(ByteBuffer.allocate(1).asReadOnlyBuffer()))
        .isInstanceOf(IllegalArgumentException.class);
    channel.write(buffer("x").asReadOnlyBuffer());
    vsock.expect(channel, Operation.RW);
  }

  @Test
  void waitsForRoomInTheRxQueue() throws Exception {
    VsockDevice device = new VsockDevice(GuestDriver.config().build());
    try (GuestDriver starving = new GuestDriver(device, 16, 0, true, false);
        VsockListener listener = device.host().listen(1)) {
      starving.send(Packet.ofGuest(3, 1, Operation.REQUEST, 1 << 20, 0));
      VsockChannel channel = listener.accept(TIME).orElseThrow();
      byte[] data = new byte[10_000];
      Blocked<Integer> writing = vsock.blocked(() -> channel.write(ByteBuffer.wrap(data)));
      // One for the RESPONSE; the others hold 956 bytes of data each; one is too small for a
      // header.
      starving.addRxBuffers(1, 40);
      starving.addRxBuffers(5, 1000);
      assertThat(starving.rx().collectable()).isEqualTo(6);
      starving.addRxBuffers(6, 1000);
      assertThat(starving.rx().collectable()).isEqualTo(12);
      while (starving.rx().collect() != null) {}
      starving.addRxBuffers(1, 1000);
      assertThat(writing.get()).isEqualTo(10_000);
    }
  }
}
