package io.github.avf4j.service;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.avf4j.VsockChannel;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.SecretBytes;
import io.github.avf4j.attestation.seal.DeviceSecret;
import io.github.avf4j.microdroid.report.GuestReports;
import io.github.avf4j.service.attest.AttestationAuthority;
import io.github.avf4j.service.attest.SignedGuest;
import io.github.avf4j.service.keeper.GuestKeeper;
import io.github.avf4j.service.keeper.HostKeeper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(30)
class GuestLinkTest {
  private static final long PORT = 7;
  private static final byte[] HELLO = {13, 0, 0, 0, 1, 1, 0, 0, 0, 8, 7, 6, 5, 4, 3, 2, 1};
  private static final byte[] BOOT = {1, 0, 0, 0, 1};
  private static final byte[] KEEPER_REQUEST = {3, 0, 0, 0, 8, 1, (byte) 0x80};

  @TempDir Path folder;
  private final FakeVsock vsock = new FakeVsock();
  private final CompletableFuture<String> broken = new CompletableFuture<>();
  private Thread link;

  private VsockChannel connect(Optional<GuestKeeper> keeper) {
    GuestLink.Listener listener =
        new GuestLink.Listener() {
          @Override
          public void reported(GuestReports.Report report) {}

          @Override
          public void broken(String why) {
            broken.complete(why);
          }

          @Override
          public boolean isOver() {
            return false;
          }
        };
    GuestBoot boot =
        new GuestBoot(
            SecretBytes.copyOf(BOOT), AttestationAuthority.unsupported("not here"), keeper);
    link = new Thread(new GuestLink("a", vsock.listen(PORT), listener, Optional.of(boot)));
    link.start();
    return vsock.connectToHost(PORT);
  }

  @AfterEach
  void end() throws InterruptedException {
    vsock.close();
    link.join(Duration.ofSeconds(10).toMillis());
    assertThat(link.isAlive()).isFalse();
  }

  private static byte[] exchange(VsockChannel guest, byte[] request) throws IOException {
    guest.write(ByteBuffer.wrap(request));
    ByteBuffer length = read(guest, 4);
    return read(guest, length.getInt()).array();
  }

  private static ByteBuffer read(VsockChannel guest, int size) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    while (buffer.hasRemaining()) {
      assertThat(guest.read(buffer)).isPositive();
    }
    return buffer.flip();
  }

  @Test
  void theKeeperAnswersBeforeThePayloadRuns() throws IOException {
    HostKeeper host =
        HostKeeper.open(
            DeviceSecret.find(folder.resolve("device-secret")), folder.resolve("keeper"));
    ByteSlice id = SignedGuest.hash("instance");
    try (VsockChannel guest = connect(Optional.of(host.serve(id)))) {
      assertThat(exchange(guest, HELLO)).containsExactly(1);
      // Handing BOOT over must not have closed the keeper: it looks at what it is sent.
      assertThat(new String(exchange(guest, KEEPER_REQUEST), 2, 20)).doesNotContain("any more");
      assertThat(exchange(guest, KEEPER_REQUEST)).startsWith(3, 2);
    }
  }

  @Test
  void aMachineWithoutAKeeperIsToldSo() throws IOException {
    try (VsockChannel guest = connect(Optional.empty())) {
      assertThat(exchange(guest, HELLO)).containsExactly(1);
      byte[] answer = exchange(guest, KEEPER_REQUEST);
      assertThat(answer).startsWith(3, 1);
      assertThat(new String(answer, 2, answer.length - 2)).contains("no keeper of secrets");
    }
  }

  @Test
  void aGuestThatAsksTheKeeperBeforeItGreetsBreaksTheProtocol() throws Exception {
    try (VsockChannel guest = connect(Optional.empty())) {
      guest.write(ByteBuffer.wrap(KEEPER_REQUEST));
      assertThat(broken.get(10, TimeUnit.SECONDS)).contains("KEEPER_REQUEST came");
    }
  }
}
