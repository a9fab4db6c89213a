package io.github.avf4j.virtio.vsock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.avf4j.VsockChannel;
import io.github.avf4j.VsockListener;
import io.github.avf4j.virtio.testing.ScriptedDriver;
import io.github.avf4j.virtio.testing.Segment;
import io.github.avf4j.virtio.testing.Used;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** The device behind the registers of virtio-mmio. */
class VsockMmioTest {
  private static final int RX = 0;
  private static final int TX = 1;

  @Test
  void servesADriverThatComesByRegisters() throws Exception {
    VsockDevice device = new VsockDevice(GuestDriver.config().build());
    try (ScriptedDriver driver = new ScriptedDriver(device).start();
        VsockListener listener = device.host().listen(80)) {
      assertThat(driver.read(0x08)).isEqualTo(19);
      assertThat(driver.read(0x100)).isEqualTo((int) GuestDriver.CID);
      Segment response = driver.writable(4096);
      Segment data = driver.writable(4096);
      driver.ring(RX).add(response);
      driver.ring(RX).add(data);
      driver.kick(RX);
      Packet request = Packet.ofGuest(9, 80, Operation.REQUEST, 4096, 0);
      driver.exchange(TX, driver.readable(request.toBytes()));
      VsockChannel channel = listener.accept(Duration.ofSeconds(20)).orElseThrow();
      channel.write(ByteBuffer.wrap(new byte[] {1, 2, 3}));
      assertThat(driver.awaitInterrupt(Duration.ofSeconds(20))).isTrue();
      assertThat(packet(driver, response).is(Operation.RESPONSE)).isTrue();
      assertThat(packet(driver, data).data()).containsExactly(1, 2, 3);
      driver.write(0x70, 0);
      assertThatThrownBy(() -> channel.read(ByteBuffer.allocate(1)))
          .isInstanceOf(IOException.class);
    }
    assertThat(device.host().listen(80).accept(Duration.ofSeconds(1))).isEmpty();
  }

  private static Packet packet(ScriptedDriver driver, Segment segment) {
    Used used = Objects.requireNonNull(driver.ring(RX).collect());
    return Packet.of(ByteBuffer.wrap(driver.bytes(segment), 0, (int) used.length()));
  }
}
