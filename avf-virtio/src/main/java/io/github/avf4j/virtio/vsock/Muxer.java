package io.github.avf4j.virtio.vsock;

import io.github.avf4j.VsockConnectException;
import io.github.avf4j.virtio.InterruptLine;
import io.github.avf4j.virtio.queue.Virtqueue;
import io.github.avf4j.virtio.vsock.Connection.Stage;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * All connections of a device, and the lock that guards them.
 *
 * <p>Whoever takes the lock with {@link #enter} gives it back with {@link #exit}, which sends what
 * was noted to be sent and wakes who got something.
 */
final class Muxer {
  /** What a connection that nobody has accepted may hold. */
  private static final int UNACCEPTED_BUFFER = 16 << 10;

  private static final int FIRST_EPHEMERAL_PORT = 1 << 30;
  private static final boolean SEVERAL_CPUS = Runtime.getRuntime().availableProcessors() > 1;
  private static final int LOCK_SPINS = SEVERAL_CPUS ? 100 : 0;
  private static final long POLL_NANOS = 20_000;
  private static final int MAX_TURNS = 1000;
  private static final long HAND_OVER_NANOS = 20_000;

  private final VsockConfig config;
  private final int receiveBuffer;
  private final ReentrantLock lock = new ReentrantLock();
  private final ConnectionTable table = new ConnectionTable();
  private final Refusals refusals = new Refusals();
  private final SendQueue senders = new SendQueue();
  private final ByteQueue.Pool pool = new ByteQueue.Pool();
  private final Map<Integer, HostListener> listeners = new HashMap<>();
  private final Outbound outbound;
  private final Inbound inbound;
  private final Lingering lingering;
  private int nextPort = FIRST_EPHEMERAL_PORT;

  /** Set before the lock is taken to end, so that serving a busy guest does not delay it. */
  private volatile boolean ending;

  Muxer(VsockConfig config) {
    this.config = config;
    receiveBuffer = (int) config.receiveBuffer().bytes();
    outbound = new Outbound(config.cid(), refusals, senders);
    inbound = new Inbound(config.cid(), this, refusals);
    lingering = new Lingering(this, config.linger());
  }

  void enter() {
    if (lock.tryLock()) {
      return;
    }
    // The lock is held for a few microseconds at most times, which is less than parking takes.
    for (int i = 0; i < LOCK_SPINS; i++) {
      Thread.onSpinWait();
      if (!lock.isLocked() && lock.tryLock()) {
        return;
      }
    }
    lock.lock();
  }

  void exit() {
    try {
      outbound.pump();
      inbound.finish();
      if (outbound.broken() || inbound.broken()) {
        forgetAll("the guest's vsock driver broke its queues: reboot the guest");
      }
    } finally {
      lock.unlock();
    }
  }

  Condition newCondition() {
    return lock.newCondition();
  }

  /** Returns whether the machine has ended. */
  boolean ended() {
    return ending;
  }

  // What the transport does.

  void activate(@Nullable Virtqueue rx, @Nullable Virtqueue tx, InterruptLine interrupts) {
    enter();
    try {
      if (!ending) {
        outbound.activate(rx, interrupts);
        inbound.activate(tx, interrupts);
      }
    } finally {
      exit();
    }
    serve();
  }

  /** The guest has made room: sends what waits for it. */
  void roomMade() {
    boolean more;
    enter();
    try {
      more = inbound.paused();
    } finally {
      exit();
    }
    if (more) {
      serve();
    }
  }

  /** Takes all packets of the guest. */
  void serve() {
    serve(Integer.MAX_VALUE);
  }

  /** Takes packets for some turns; returns whether there are more. */
  private boolean serve(int turns) {
    boolean more = true;
    for (int i = 0; more && !ending && i < turns; i++) {
      enter();
      try {
        more = inbound.serve();
      } finally {
        exit();
      }
      if (more && lock.hasQueuedThreads()) {
        // The lock is not fair; without a pause this thread would take it again at once.
        LockSupport.parkNanos(HAND_OVER_NANOS);
      }
    }
    return more && !ending;
  }

  /**
   * Waits until {@code waiter} is signalled; false if the thread was interrupted. The caller does
   * not have the lock.
   */
  boolean await(Waiter waiter) {
    if (SEVERAL_CPUS && !waiter.isDone() && waiter.pollingPays()) {
      waiter.polled(poll(waiter));
    }
    return waiter.await();
  }

  /**
   * Does the work of the device's own thread for some microseconds, in the hope that the guest's
   * answer is among it: then no thread had to be woken.
   */
  private boolean poll(Waiter waiter) {
    long end = System.nanoTime() + POLL_NANOS;
    enter();
    try {
      inbound.beginPolling();
    } finally {
      exit();
    }
    boolean polling = true;
    boolean more = false;
    while (polling) {
      Thread.onSpinWait();
      boolean late = waiter.isDone() || System.nanoTime() - end > 0;
      if (late) {
        enter();
      } else if (!lock.tryLock()) {
        continue;
      }
      try {
        inbound.help();
        outbound.pump();
        inbound.finish();
        if (late || waiter.isDone()) {
          polling = false;
          more = inbound.endPolling();
        }
      } finally {
        exit();
      }
    }
    boolean success = waiter.isDone();
    if (more && serve(MAX_TURNS)) {
      // The guest keeps this thread from its own work: others go on.
      Lingering.execute(this::serve);
    }
    return success;
  }

  /** Lets the queues go; what the guest has sent before is still taken. */
  void reset() {
    enter();
    try {
      detach("the guest has reset its vsock device");
    } finally {
      exit();
    }
  }

  void end() {
    ending = true;
    enter();
    try {
      detach("the machine has stopped");
      for (Connection connection : table.all()) {
        forget(connection, "the machine has stopped");
      }
      for (HostListener listener : new ArrayList<>(listeners.values())) {
        listener.end();
      }
      listeners.clear();
    } finally {
      exit();
    }
  }

  private void detach(String why) {
    inbound.drainLast();
    inbound.finish();
    outbound.deactivate();
    inbound.deactivate();
    forgetAll(why);
    refusals.clear();
    pool.clear();
  }

  /** Forgets all connections that the guest's driver may know of. */
  private void forgetAll(String why) {
    for (Connection connection : table.all()) {
      // A request that was not sent yet goes to the driver that comes next.
      if (connection.stage != Stage.CONNECTING || !connection.wants(Operation.REQUEST)) {
        forget(connection, why);
      }
    }
  }

  // What the host's program does. All that follows needs the lock.

  /** Notes a request; the caller awaits the connection's writer. */
  Connection connect(long port) {
    if (ending) {
      throw new VsockConnectException(
          VsockConnectException.Cause.STOPPED,
          port,
          "cannot connect to port " + port + ": the machine has stopped");
    }
    if (table.size() >= config.maxConnections()) {
      throw new VsockConnectException(
          VsockConnectException.Cause.TOO_MANY,
          port,
          String.format(
              "cannot connect to port %d: there are %d connections already, close some",
              port, table.size()));
    }
    Connection connection =
        new Connection(freeKey((int) port), Stage.CONNECTING, receiveBuffer, pool);
    table.add(connection);
    send(connection, Operation.REQUEST);
    return connection;
  }

  private long freeKey(int guestPort) {
    while (true) {
      int port = nextPort;
      nextPort = port == -2 ? FIRST_EPHEMERAL_PORT : port + 1;
      long key = PacketHeader.key(port, guestPort);
      if (table.get(key) == null && !listeners.containsKey(port)) {
        return key;
      }
    }
  }

  /** Gives up a request that was not answered. */
  void withdraw(Connection connection) {
    if (connection.wants(Operation.REQUEST)) {
      forget(connection, "the guest did not answer in time");
    } else {
      reset(connection, "the guest did not answer in time");
    }
  }

  HostListener listen(long port) {
    HostListener listener = new HostListener(this, (int) port, config.backlog());
    if (ending) {
      listener.end();
    } else if (listeners.putIfAbsent((int) port, listener) != null) {
      throw new IllegalArgumentException(
          "port " + port + " of the host is taken: close its listener or use another port");
    }
    return listener;
  }

  void unlisten(HostListener listener) {
    listeners.remove((int) listener.port(), listener);
  }

  /** The host's program now has the connection: it may hold as much as any other. */
  void accepted(Connection connection) {
    connection.backlog = null;
    if (connection.credit.enlarge(receiveBuffer) && connection.stage == Stage.OPEN) {
      send(connection, Operation.CREDIT_UPDATE);
    }
  }

  /** The host's program has closed an open connection: awaits the guest's farewell. */
  void linger(Connection connection) {
    connection.stage = Stage.LINGERING;
    boolean unanswered = connection.wants(Operation.RESPONSE);
    connection.wantNothing();
    if (unanswered) {
      connection.want(Operation.RESPONSE);
    }
    send(connection, Operation.SHUTDOWN);
    lingering.add(connection);
  }

  void send(Connection connection, Operation operation) {
    connection.want(operation);
    senders.add(connection);
  }

  void enqueue(Connection connection) {
    senders.add(connection);
  }

  /** Sends what can be sent now. */
  void pump() {
    outbound.pump();
  }

  /** Takes packets that have come, among which may be what the calling thread waits for. */
  void help() {
    inbound.help();
  }

  // What the guest does.

  @Nullable Connection find(long key) {
    return table.get(key);
  }

  /** Takes a connection of the guest into a listener's backlog; false if it must be refused. */
  boolean acceptFromGuest(long key, int peerBuffer, int peerForwarded) {
    HostListener listener = listeners.get((int) (key >>> 32));
    if (listener == null || listener.isFull() || table.size() >= config.maxConnections()) {
      return false;
    }
    int buffer = Math.min(receiveBuffer, UNACCEPTED_BUFFER);
    Connection connection = new Connection(key, Stage.OPEN, buffer, pool);
    if (!connection.credit.update(peerBuffer, peerForwarded)) {
      return false;
    }
    table.add(connection);
    send(connection, Operation.RESPONSE);
    listener.add(connection);
    return true;
  }

  boolean makeRoomForRefusals() {
    outbound.pump();
    return !refusals.isHigh();
  }

  /** Ends a connection and tells the guest. */
  void reset(Connection connection, String why) {
    refusals.add(connection.key, PacketHeader.STREAM);
    remove(connection, why);
  }

  /** Ends a connection of which the guest knows nothing any more. */
  void forget(Connection connection, String why) {
    remove(connection, why);
    HostListener listener = connection.backlog;
    if (listener != null) {
      listener.remove(connection);
    }
  }

  private void remove(Connection connection, String why) {
    table.remove(connection);
    lingering.remove(connection);
    senders.remove(connection);
    connection.stage = Stage.GONE;
    connection.wantNothing();
    connection.end(why);
  }

  /** Returns how many connections there are. */
  int size() {
    return table.size();
  }

  long dropped() {
    return inbound.dropped();
  }
}
