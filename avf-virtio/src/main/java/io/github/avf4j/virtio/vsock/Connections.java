package io.github.avf4j.virtio.vsock;

import io.github.avf4j.VsockConnectException;
import io.github.avf4j.virtio.vsock.Connection.Stage;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The connections and listeners of a device: how they come to be and to an end.
 *
 * <p>Guarded by the device's lock.
 */
final class Connections {
  /** What a connection that nobody has accepted may hold. */
  private static final int UNACCEPTED_BUFFER = 16 << 10;

  private static final int FIRST_EPHEMERAL_PORT = 1 << 30;

  private final VsockConfig config;
  private final Muxer muxer;
  private final Refusals refusals;
  private final SendQueue senders;
  private final int receiveBuffer;
  private final ConnectionTable table = new ConnectionTable();
  private final ByteQueue.Pool pool = new ByteQueue.Pool();
  private final Map<Integer, HostListener> listeners = new HashMap<>();
  private final Lingering lingering;
  private int nextPort = FIRST_EPHEMERAL_PORT;

  Connections(VsockConfig config, Muxer muxer, Refusals refusals, SendQueue senders) {
    this.config = config;
    this.muxer = muxer;
    this.refusals = refusals;
    this.senders = senders;
    receiveBuffer = (int) config.receiveBuffer().bytes();
    lingering = new Lingering(muxer, this, config.linger());
  }

  /** Notes a request; the caller awaits the connection's writer. */
  Connection connect(long port) {
    if (muxer.ended()) {
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
              Locale.ROOT,
              "cannot connect to port %d: there are %d connections already, close some",
              port,
              table.size()));
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
    HostListener listener = new HostListener(muxer, (int) port, config.backlog());
    if (muxer.ended()) {
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

  /** Forgets all connections that the guest's driver may know of. */
  void forgetAll(String why) {
    for (Connection connection : table.all()) {
      // A request that was not sent yet goes to the driver that comes next.
      if (connection.stage != Stage.CONNECTING || !connection.wants(Operation.REQUEST)) {
        forget(connection, why);
      }
    }
  }

  /** Ends what is left when the machine does. */
  void end(String why) {
    for (Connection connection : table.all()) {
      forget(connection, why);
    }
    for (HostListener listener : new ArrayList<>(listeners.values())) {
      listener.end();
    }
    listeners.clear();
  }

  /** Lets go of memory that was kept for data to come. */
  void trim() {
    pool.clear();
  }
}
