package io.github.avf4j.virtio.vsock;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.avf4j.VsockChannel;
import io.github.avf4j.VsockListener;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/** A device, a driver that is handled on the test's thread, and threads for the host's program. */
final class VsockFixture implements AutoCloseable {
  static final Duration TIME = Duration.ofSeconds(20);
  static final long PORT = 5000;
  static final int BUFFER = 65536;

  final VsockDevice device;
  final GuestDriver driver;
  final ExecutorService threads = Executors.newCachedThreadPool();

  VsockFixture() {
    this(GuestDriver.config());
  }

  VsockFixture(VsockConfig.Builder config) {
    device = new VsockDevice(config.build());
    driver = GuestDriver.sync(device);
  }

  /** Connects the host to {@link #PORT} of a guest that holds {@code buffer} bytes. */
  VsockChannel connect(int buffer) throws Exception {
    Future<VsockChannel> connecting = inBackground(() -> device.host().connect(PORT, TIME));
    Packet request = driver.receive();
    assertThat(request.is(Operation.REQUEST)).isTrue();
    assertThat(request.targetPort()).isEqualTo(PORT);
    driver.send(
        Packet.ofGuest(PORT, request.sourcePort(), Operation.RESPONSE, buffer, /* forwarded= */ 0));
    return connecting.get(20, TimeUnit.SECONDS);
  }

  /** Connects the guest's {@code guestPort} to a listener of the host. */
  VsockChannel accept(VsockListener listener, long guestPort) throws Exception {
    driver.send(Packet.ofGuest(guestPort, listener.port(), Operation.REQUEST, BUFFER, 0));
    Packet response = driver.receive();
    assertThat(response.is(Operation.RESPONSE)).isTrue();
    return listener.accept(TIME).orElseThrow();
  }

  /** Returns a packet of the guest on the connection of {@code channel}. */
  Packet packet(VsockChannel channel, Operation operation) {
    return Packet.ofGuest(channel.guestPort(), channel.hostPort(), operation, BUFFER, 0);
  }

  void sendData(VsockChannel channel, String text) {
    driver.send(packet(channel, Operation.RW).withData(bytes(text)));
  }

  /** Expects a packet on the connection of {@code channel}. */
  Packet expect(VsockChannel channel, Operation operation) {
    Packet packet = driver.receive();
    assertThat(Operation.of(packet.operation())).isEqualTo(operation);
    assertThat(packet.sourcePort()).isEqualTo(channel.hostPort());
    assertThat(packet.targetPort()).isEqualTo(channel.guestPort());
    assertThat(packet.sourceCid()).isEqualTo(2);
    assertThat(packet.targetCid()).isEqualTo(GuestDriver.CID);
    return packet;
  }

  void expectNothing() {
    assertThat(driver.poll()).isNull();
  }

  <T> Future<T> inBackground(Callable<T> work) {
    return threads.submit(work);
  }

  /** Runs {@code work} on a thread of its own and returns once that thread waits. */
  <T> Blocked<T> blocked(Callable<T> work) throws InterruptedException {
    Blocked<T> blocked = new Blocked<>(work);
    blocked.start();
    return blocked;
  }

  static String readText(VsockChannel channel) throws Exception {
    ByteBuffer buffer = ByteBuffer.allocate(1000);
    int count = channel.read(buffer);
    return count < 0 ? "end" : new String(buffer.array(), 0, count, StandardCharsets.US_ASCII);
  }

  static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  static ByteBuffer buffer(String text) {
    return ByteBuffer.wrap(bytes(text));
  }

  @Override
  public void close() {
    driver.close();
    threads.shutdownNow();
  }
}
