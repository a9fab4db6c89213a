package io.github.avf4j.virtio.vsock;

import io.github.avf4j.VsockChannel;
import io.github.avf4j.virtio.testing.Used;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ByteChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;

/**
 * Measures vsock against a pair of the JDK's Unix-domain sockets in the same run: 64 KiB messages
 * one way, and round trips of 64 bytes.
 *
 * <p>The guest is a scripted driver on a thread of its own; its kicks wake a thread of the device,
 * the device's interrupts wake the driver, as eventfds would. Like the sockets' peer it copies all
 * data from and to a buffer of its own. Rounds are interleaved; medians count.
 */
public final class VsockBenchmark {
  private static final int MESSAGE = 64 << 10;
  private static final int SMALL = 64;
  private static final int PEER_BUFFER = 256 << 10;
  private static final long PORT = 7;

  private final int messages;
  private final int roundTrips;

  private VsockBenchmark(int messages, int roundTrips) {
    this.messages = messages;
    this.roundTrips = roundTrips;
  }

  /**
   * Returns the medians of {@code rounds} rounds in MiB/s: to the guest, to the host, and between
   * the sockets.
   */
  public static double[] throughput(int rounds) throws Exception {
    VsockBenchmark benchmark = new VsockBenchmark(8000, 20_000);
    return medians(rounds, benchmark::toGuest, benchmark::toHost, benchmark::socketThroughput);
  }

  /** Returns the medians of {@code rounds} rounds in microseconds: vsock, and the sockets. */
  public static double[] roundTrip(int rounds) throws Exception {
    VsockBenchmark benchmark = new VsockBenchmark(8000, 20_000);
    return medians(rounds, benchmark::vsockRoundTrip, benchmark::socketRoundTrip);
  }

  /** Runs every measurement in turn, two rounds to warm up and then {@code rounds} that count. */
  @SafeVarargs
  private static double[] medians(int rounds, Callable<Double>... measurements) throws Exception {
    double[][] values = new double[measurements.length][rounds];
    for (int round = -2; round < rounds; round++) {
      for (int i = 0; i < measurements.length; i++) {
        values[i][Math.max(round, 0)] = measurements[i].call();
      }
    }
    return Arrays.stream(values).mapToDouble(VsockBenchmark::median).toArray();
  }

  private static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return sorted[sorted.length / 2];
  }

  private double socketThroughput() throws Exception {
    try (Pair pair = new Pair()) {
      return send(pair.first, () -> receive(pair.second));
    }
  }

  private double socketRoundTrip() throws Exception {
    try (Pair pair = new Pair()) {
      return pingPong(
          pair.first,
          () -> {
            ByteBuffer buffer = ByteBuffer.allocateDirect(SMALL);
            for (int i = 0; i < roundTrips; i++) {
              fill(pair.second, buffer.clear());
              pair.second.write(buffer.flip());
            }
            return null;
          });
    }
  }

  private double toGuest() throws Exception {
    try (Guest guest = new Guest()) {
      guest.connect();
      return send(guest.channel, guest::receiveAll);
    }
  }

  private double toHost() throws Exception {
    try (Guest guest = new Guest()) {
      guest.connect();
      long start = System.nanoTime();
      FutureTask<Void> sender = start(guest::sendAll);
      receive(guest.channel);
      sender.get();
      return mebibytesPerSecond(start);
    }
  }

  private double vsockRoundTrip() throws Exception {
    try (Guest guest = new Guest()) {
      guest.connect();
      return pingPong(guest.channel, guest::echoAll);
    }
  }

  private double send(ByteChannel channel, Callable<Void> receiver) throws Exception {
    ByteBuffer buffer = ByteBuffer.allocateDirect(MESSAGE);
    long start = System.nanoTime();
    FutureTask<Void> task = start(receiver);
    for (int i = 0; i < messages; i++) {
      buffer.clear();
      while (buffer.hasRemaining()) {
        channel.write(buffer);
      }
    }
    task.get();
    return mebibytesPerSecond(start);
  }

  private double mebibytesPerSecond(long start) {
    return messages / 16.0 / ((System.nanoTime() - start) / 1e9);
  }

  private Void receive(ByteChannel channel) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocateDirect(MESSAGE);
    for (long left = (long) messages * MESSAGE; left > 0; ) {
      int count = channel.read(buffer.clear());
      if (count < 0) {
        throw new IOException("ended early");
      }
      left -= count;
    }
    return null;
  }

  private double pingPong(ByteChannel channel, Callable<Void> echo) throws Exception {
    FutureTask<Void> task = start(echo);
    ByteBuffer buffer = ByteBuffer.allocateDirect(SMALL);
    long start = System.nanoTime();
    for (int i = 0; i < roundTrips; i++) {
      channel.write(buffer.clear());
      fill(channel, buffer.clear());
    }
    double micros = (System.nanoTime() - start) / 1e3 / roundTrips;
    task.get();
    return micros;
  }

  private static void fill(ByteChannel channel, ByteBuffer buffer) throws IOException {
    while (buffer.hasRemaining()) {
      if (channel.read(buffer) < 0) {
        throw new IOException("ended early");
      }
    }
  }

  private static FutureTask<Void> start(Callable<Void> work) {
    FutureTask<Void> task = new FutureTask<>(work);
    Thread thread = new Thread(task, "benchmark-peer");
    thread.setDaemon(true);
    thread.start();
    return task;
  }

  /** Two connected Unix-domain sockets. */
  private static final class Pair implements AutoCloseable {
    final SocketChannel first;
    final SocketChannel second;

    Pair() throws IOException {
      Path path = Files.createTempDirectory("avf").resolve("s");
      try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
        server.bind(UnixDomainSocketAddress.of(path));
        first = SocketChannel.open(UnixDomainSocketAddress.of(path));
        second = server.accept();
      } finally {
        Files.deleteIfExists(path);
        Files.deleteIfExists(path.getParent());
      }
    }

    @Override
    public void close() throws IOException {
      first.close();
      second.close();
    }
  }

  /** A guest with one connection; used by one thread at a time. */
  private final class Guest implements AutoCloseable {
    final VsockDevice device = new VsockDevice(GuestDriver.config().build());
    final GuestDriver driver = GuestDriver.async(device);
    final ByteBuffer local = ByteBuffer.allocateDirect(MESSAGE);
    VsockChannel channel;
    private int hostPort;
    private int forwarded;
    private int told;
    private int sent;
    private int hostForwarded;
    private int hostBuffer;

    void connect() throws Exception {
      FutureTask<Void> accept =
          start(
              () -> {
                Packet request = driver.receive();
                hostPort = (int) request.sourcePort();
                hostBuffer = request.bufferSize();
                driver.send(
                    Packet.ofGuest(PORT, request.sourcePort(), Operation.RESPONSE, PEER_BUFFER, 0));
                return null;
              });
      channel = device.host().connect(PORT, Duration.ofSeconds(5));
      accept.get();
    }

    Void receiveAll() {
      for (long left = (long) messages * MESSAGE; left > 0; ) {
        left -= take();
      }
      return null;
    }

    Void sendAll() {
      for (int i = 0; i < messages; i++) {
        local.clear();
        while (local.hasRemaining()) {
          int free = hostBuffer - (sent - hostForwarded);
          if (free == 0) {
            take();
            continue;
          }
          local.limit(Math.min(MESSAGE, local.position() + free));
          sendData();
          local.limit(MESSAGE);
        }
      }
      return null;
    }

    Void echoAll() {
      for (int i = 0; i < roundTrips; i++) {
        for (int left = SMALL; left > 0; ) {
          left -= take();
        }
        local.clear().limit(SMALL);
        sendData();
      }
      return null;
    }

    private void sendData() {
      int length = local.remaining();
      driver.send(header(Operation.RW, length), local);
      sent += length;
    }

    /** Takes a packet, waits for it if there is none; returns how much data was in it. */
    private int take() {
      Used used = driver.rx().collect();
      if (used == null) {
        driver.awaitRx();
        return 0;
      }
      ByteBuffer view = driver.view(used);
      hostBuffer = view.getInt(36);
      hostForwarded = view.getInt(40);
      int length = view.getInt(24);
      local.clear();
      local.put(0, view, 44, length);
      driver.rx().publish(used.head());
      driver.kickRx();
      forwarded += length;
      // As Linux: once the peer believes that less than 64 KiB are free.
      if (PEER_BUFFER - (forwarded - told) < MESSAGE) {
        driver.send(header(Operation.CREDIT_UPDATE, 0), local.clear().limit(0));
      }
      return length;
    }

    private ByteBuffer header(Operation operation, int length) {
      told = forwarded;
      return driver
          .header()
          .order(ByteOrder.LITTLE_ENDIAN)
          .putLong(GuestDriver.CID)
          .putLong(2)
          .putInt((int) PORT)
          .putInt(hostPort)
          .putInt(length)
          .putShort((short) 1)
          .putShort((short) operation.number())
          .putInt(0)
          .putInt(PEER_BUFFER)
          .putInt(forwarded)
          .flip();
    }

    @Override
    public void close() {
      channel.close();
      driver.close();
    }
  }
}
