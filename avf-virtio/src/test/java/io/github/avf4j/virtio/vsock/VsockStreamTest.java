package io.github.avf4j.virtio.vsock;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.avf4j.DataSize;
import io.github.avf4j.VsockChannel;
import io.github.avf4j.VsockListener;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Streams against a guest that sends everything back, with threads on all sides. */
class VsockStreamTest {
  private static final Duration TIME = Duration.ofSeconds(20);

  private final ExecutorService threads = Executors.newCachedThreadPool();

  @AfterEach
  void endThreads() throws InterruptedException {
    threads.shutdownNow();
    assertThat(threads.awaitTermination(10, TimeUnit.SECONDS)).isTrue();
  }

  @ParameterizedTest
  @CsvSource({
    // host buffer, guest buffer, rx buffer, fragment, EVENT_IDX
    "262144, 262144, 4096, 65536, true",
    "262144, 262144, 4096, 65536, false",
    "4096, 64, 4096, 100, true",
    "4096, 1, 128, 7, true",
    "65536, 4096, 45, 1000, true",
    "4096, 65536, 65536, 65536, false",
  })
  void echoesWhateverTheSizesOfBuffers(
      int hostBuffer, int guestBuffer, int rxBuffer, int fragment, boolean eventIdx)
      throws Exception {
    VsockDevice device =
        new VsockDevice(GuestDriver.config().receiveBuffer(DataSize.ofBytes(hostBuffer)).build());
    int bytes = guestBuffer < 100 ? 3000 : 300_000;
    try (GuestDriver driver = new GuestDriver(device, 64, rxBuffer, eventIdx, true);
        EchoGuest guest = new EchoGuest(driver, guestBuffer, fragment)) {
      try (VsockChannel channel = device.host().connect(EchoGuest.PORT, TIME)) {
        exchange(channel, 1, bytes).get(60, TimeUnit.SECONDS);
      }
      guest.verify();
    }
  }

  @Test
  void servesManyStreamsOfBothSidesAtOnce() throws Exception {
    int count = 96;
    VsockDevice device = new VsockDevice(GuestDriver.config().build());
    try (GuestDriver driver = GuestDriver.async(device);
        EchoGuest guest = new EchoGuest(driver, 16384, 65536);
        VsockListener listener = device.host().listen(99)) {
      List<Future<?>> results = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        VsockChannel channel;
        if (i % 2 == 0) {
          channel = device.host().connect(EchoGuest.PORT, TIME);
        } else {
          guest.connect(20_000 + i, 99);
          channel = listener.accept(TIME).orElseThrow();
          assertThat(channel.guestPort()).isEqualTo(20_000 + i);
          assertThat(channel.hostPort()).isEqualTo(99);
        }
        results.add(exchange(channel, i, 200_000));
      }
      for (Future<?> result : results) {
        result.get(90, TimeUnit.SECONDS);
      }
      guest.verify();
    }
  }

  @Test
  void opensAndClosesManyStreamsOneAfterTheOther() throws Exception {
    VsockDevice device = new VsockDevice(GuestDriver.config().maxConnections(4).build());
    try (GuestDriver driver = GuestDriver.async(device);
        EchoGuest guest = new EchoGuest(driver, 4096, 4096)) {
      for (int i = 0; i < 300; i++) {
        try (VsockChannel channel = device.host().connect(EchoGuest.PORT, TIME)) {
          exchange(channel, i, 10).get(20, TimeUnit.SECONDS);
        }
      }
      guest.verify();
    }
  }

  /** Writes random bytes, ends the output, and checks that the same come back and then the end. */
  private Future<Void> exchange(VsockChannel channel, int seed, int bytes) {
    byte[] sent = new byte[bytes];
    new Random(seed).nextBytes(sent);
    return threads.submit(
        () -> {
          Future<Void> writer = threads.submit((Callable<Void>) () -> write(channel, sent, seed));
          ByteBuffer got = ByteBuffer.allocate(bytes);
          Random random = new Random(seed + 1);
          ByteBuffer part = ByteBuffer.allocateDirect(70_000);
          while (true) {
            part.clear().limit(1 + random.nextInt(random.nextBoolean() ? 70_000 : 50));
            if (channel.read(part) < 0) {
              break;
            }
            got.put(part.flip());
          }
          writer.get();
          assertThat(got.array()).isEqualTo(sent);
          channel.close();
          return null;
        });
  }

  private static Void write(VsockChannel channel, byte[] bytes, int seed) throws IOException {
    Random random = new Random(seed + 2);
    for (int at = 0; at < bytes.length; ) {
      int part = Math.min(bytes.length - at, 1 + random.nextInt(100_000));
      assertThat(channel.write(ByteBuffer.wrap(bytes, at, part))).isEqualTo(part);
      at += part;
    }
    channel.shutdownOutput();
    return null;
  }
}
