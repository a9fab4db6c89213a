package io.github.avf4j.virtio.vsock;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * A guest that sends back what it gets, on every connection that the host makes to {@link #PORT} or
 * that it was told to make; keeps to its credit and checks that the host does.
 *
 * <p>Bytes count as read once they were sent back, so that a host that does not read stalls itself.
 * Closes a connection once the host has ended its direction and all was sent back.
 */
final class EchoGuest implements AutoCloseable {
  static final long PORT = 5000;

  private final GuestDriver driver;
  private final int bufferSize;
  private final int fragment;
  private final Map<Long, Stream> streams = new HashMap<>();
  private final Queue<Runnable> orders = new ConcurrentLinkedQueue<>();
  private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
  private final Thread thread = new Thread(this::run, "test-guest");
  private volatile boolean ending;

  /** Starts the guest with {@code bufferSize} bytes for each connection. */
  EchoGuest(GuestDriver driver, int bufferSize, int fragment) {
    this.driver = driver;
    this.bufferSize = bufferSize;
    this.fragment = fragment;
    thread.setDaemon(true);
    thread.start();
  }

  /** Makes a connection of {@code guestPort} to a port of the host. */
  void connect(long guestPort, long hostPort) {
    order(
        () -> {
          Stream stream = new Stream(guestPort, hostPort);
          streams.put(key(guestPort, hostPort), stream);
          stream.control(Operation.REQUEST, 0);
        });
  }

  private void order(Runnable what) {
    orders.add(what);
    driver.wake();
  }

  /** Fails if the host broke a rule. */
  void verify() {
    Throwable problem = failure.get();
    if (problem != null) {
      throw new AssertionError("the guest found a fault", problem);
    }
  }

  private void run() {
    try {
      while (!ending) {
        for (Runnable next; (next = orders.poll()) != null; ) {
          next.run();
        }
        boolean busy = false;
        for (Packet packet; (packet = driver.poll()) != null; ) {
          take(packet);
          busy = true;
        }
        for (Stream stream : streams.values().toArray(new Stream[0])) {
          busy |= stream.progress();
        }
        if (!busy) {
          driver.awaitRx(Duration.ofMillis(20));
        }
      }
    } catch (Throwable e) {
      failure.compareAndSet(null, e);
    }
  }

  private void take(Packet packet) {
    require(packet.sourceCid() == 2 && packet.targetCid() == GuestDriver.CID, "cids", packet);
    require(packet.length() == packet.data().length, "length", packet);
    long key = key(packet.targetPort(), packet.sourcePort());
    Stream stream = streams.get(key);
    Operation operation = Operation.of(packet.operation());
    if (operation == Operation.REQUEST && packet.targetPort() == PORT) {
      require(stream == null, "no duplicate request", packet);
      stream = new Stream(PORT, packet.sourcePort());
      streams.put(key, stream);
      stream.update(packet);
      stream.control(Operation.RESPONSE, 0);
    } else if (stream == null) {
      if (operation != Operation.RST) {
        driver.send(Packet.ofGuest(packet.targetPort(), packet.sourcePort(), Operation.RST, 0, 0));
      }
    } else {
      stream.update(packet);
      stream.take(packet, operation);
    }
  }

  private static void require(boolean condition, String rule, Packet packet) {
    if (!condition) {
      throw new IllegalStateException("the host broke a rule: " + rule + ": " + packet);
    }
  }

  private static long key(long guestPort, long hostPort) {
    return guestPort << 32 | hostPort;
  }

  @Override
  public void close() {
    ending = true;
    driver.wake();
    try {
      thread.join(10_000);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    verify();
  }

  private final class Stream {
    final long guestPort;
    final long hostPort;
    final Deque<byte[]> toSend = new ArrayDeque<>();
    int unsent;
    int received;
    int forwarded;
    int told;
    int sent;
    int hostBuffer;
    int hostForwarded;
    boolean hostEnded;
    boolean creditWanted;

    Stream(long guestPort, long hostPort) {
      this.guestPort = guestPort;
      this.hostPort = hostPort;
    }

    void update(Packet packet) {
      if (!packet.is(Operation.RST)) {
        hostBuffer = packet.bufferSize();
        hostForwarded = packet.forwarded();
      }
    }

    void control(Operation operation, int flags) {
      told = forwarded;
      driver.send(
          Packet.ofGuest(guestPort, hostPort, operation, bufferSize, forwarded).withFlags(flags));
    }

    void take(Packet packet, @Nullable Operation operation) {
      switch (operation) {
        case RW -> {
          received += packet.data().length;
          unsent += packet.data().length;
          require(received - told <= bufferSize, "credit", packet);
          require(!hostEnded, "nothing after shutdown", packet);
          toSend.add(packet.data());
        }
        case SHUTDOWN -> {
          hostEnded = true;
          if ((packet.flags() & 1) != 0) {
            control(Operation.RST, 0);
            streams.remove(key(guestPort, hostPort));
          }
        }
        case RST -> streams.remove(key(guestPort, hostPort));
        case CREDIT_REQUEST -> creditWanted = true;
        default -> {}
      }
    }

    boolean progress() {
      boolean busy = false;
      while (!toSend.isEmpty() && driver.canSend()) {
        int free = hostBuffer - (sent - hostForwarded);
        byte[] head = toSend.peek();
        int length = Math.min(Math.min(free, head.length), fragment);
        if (length <= 0) {
          break;
        }
        byte[] part = Arrays.copyOf(head, length);
        toSend.poll();
        if (length < head.length) {
          toSend.addFirst(Arrays.copyOfRange(head, length, head.length));
        }
        forwarded += length;
        unsent -= length;
        told = forwarded;
        sent += length;
        driver.send(
            Packet.ofGuest(guestPort, hostPort, Operation.RW, bufferSize, forwarded)
                .withData(part));
        busy = true;
      }
      if (creditWanted && driver.canSend()) {
        creditWanted = false;
        control(Operation.CREDIT_UPDATE, 0);
      }
      if (hostEnded && toSend.isEmpty() && driver.canSend()) {
        hostEnded = false;
        control(Operation.SHUTDOWN, 3);
        busy = true;
      }
      return busy;
    }
  }
}
