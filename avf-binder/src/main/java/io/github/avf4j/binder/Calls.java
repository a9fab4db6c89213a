package io.github.avf4j.binder;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Calls the server, and serves it.
 *
 * <p>A call takes a connection for itself, and serves what comes on it until the reply does; a call
 * that is made while such a call of the server is served goes where the server waits. Any failure
 * of a connection ends the session. Thread-safe.
 */
final class Calls implements RpcBinder.Caller {
  /** The most calls within calls: each takes a piece of the stack. */
  private static final int MAX_DEPTH = 16;

  private static final int TYPE_BINDER = 1;
  private static final int OBJECT = 12;

  private final int version;
  private final int callbackThreads;
  private final Duration timeout;
  private final ConnectionPool pool;
  private final NodeTable nodes = new NodeTable(this);

  /** References to give back with the next message, by address. */
  private final SortedMap<Long, Integer> released = new TreeMap<>();

  private final ThreadLocal<Frame> frames = new ThreadLocal<>();

  /** A call that the thread serves, and whether the server waits for it there. */
  private record Frame(RpcConnection connection, boolean waits, int depth) {}

  Calls(int version, RpcSessionOptions options, ConnectionPool pool) {
    this.version = version;
    this.callbackThreads = options.callbackConnections();
    this.timeout = options.timeout();
    this.pool = pool;
  }

  void end(String reason, @Nullable Throwable cause) {
    if (pool.end(reason, cause)) {
      nodes.clear();
    }
  }

  @Override
  public ParcelReader transact(RpcBinder target, int code, ParcelWriter data, int flags) {
    return withConnection(
        flags,
        () -> {
          // First, so that nothing is counted for an object that was closed.
          long address = nodes.sendTarget(target);
          Wire.Packed parcel;
          try {
            parcel = pack(data, Wire.TRANSACT_SIZE);
          } catch (IllegalArgumentException | IllegalStateException e) {
            nodes.unsend(address);
            throw e;
          }
          long number = flags == 0 ? 0 : nodes.nextNumber(address);
          return new Prepared(new Wire.Transaction(address, code, flags, number), parcel);
        });
  }

  /** Makes a transaction that concerns the session. */
  ParcelReader special(int code) {
    Wire.Transaction transaction = new Wire.Transaction(Wire.SPECIAL, code, 0, 0);
    return withConnection(0, () -> new Prepared(transaction, Wire.Packed.EMPTY));
  }

  /** A call of which nothing was sent. */
  private record Prepared(Wire.Transaction transaction, Wire.Packed parcel) {}

  private ParcelReader withConnection(int flags, Supplier<Prepared> call) {
    Frame frame = frames.get();
    boolean nested = flags == 0 && frame != null && frame.waits;
    RpcConnection connection = nested ? frame.connection : pool.take(timeout);
    try {
      Prepared prepared = call.get();
      return guarded(
          () -> inTime(() -> exchange(connection, prepared.transaction, prepared.parcel)));
    } finally {
      if (!nested) {
        pool.giveBack(connection);
      }
    }
  }

  private <T> T inTime(Alarm.Step<T> step) throws IOException {
    return Alarm.after(
        timeout,
        () -> end("the server has not answered within " + timeout + ": connect again", null),
        step);
  }

  /** Ends the session where it cannot go on. */
  private <T> T guarded(Alarm.Step<T> step) {
    try {
      return step.run();
    } catch (IOException e) {
      end("the connection to the server failed (" + e + "): connect again", e);
      RpcSessionEndedException why = pool.why();
      throw why != null ? why : new RpcSessionEndedException("the session has ended", e);
    } catch (RpcProtocolException e) {
      end("the server broke the protocol: " + e.getMessage(), e);
      throw e;
    } catch (RpcStatusException e) {
      throw e;
    } catch (RuntimeException | Error e) {
      // The rest of a message would be taken for the next one.
      end("a call was broken off (" + e + "): connect again", e);
      throw e;
    }
  }

  private ParcelReader exchange(
      RpcConnection connection, Wire.Transaction transaction, Wire.Packed parcel)
      throws IOException {
    writeReleased(connection);
    connection.write(Wire.transact(transaction, parcel));
    if (transaction.isOneway()) {
      return new ParcelReader(new byte[0], new TreeMap<>(), null);
    }
    RpcConnection.Message message = connection.readMessage(version);
    while (message.command() != Wire.REPLY) {
      serve(connection, message);
      message = connection.readMessage(version);
    }
    int status = message.body().getInt(0);
    Wire.Packed reply =
        status == 0
            ? Wire.parcel(message.body(), 4, Wire.replySize(version), version)
            : Wire.Packed.EMPTY;
    ParcelReader reader = receive(reply);
    writeReleased(connection);
    if (status != 0) {
      throw new RpcStatusException(transaction.code(), status);
    }
    return reader;
  }

  /** Serves a connection until it fails. */
  void serve(RpcConnection connection) {
    try {
      while (true) {
        guarded(
            () -> {
              serve(connection, connection.readMessage(version));
              return connection;
            });
      }
    } catch (RuntimeException e) {
      // The session has ended, and those who call learn why.
    }
  }

  private void serve(RpcConnection connection, RpcConnection.Message message) throws IOException {
    ByteBuffer body = message.body();
    switch (message.command()) {
      case Wire.DEC_STRONG -> {
        release(body.getLong(0), nodes.decStrong(body.getLong(0), body.getInt(8)));
        endIfOver();
      }
      case Wire.TRANSACT -> serve(connection, Wire.transaction(body), body);
      default -> throw new RpcProtocolException("the server replied to no call");
    }
  }

  private void endIfOver() {
    if (nodes.isOver()) {
      end("no object is left: keep the root open", null);
    }
  }

  private void serve(RpcConnection connection, Wire.Transaction call, ByteBuffer body)
      throws IOException {
    Wire.Packed parcel = Wire.parcel(body, 24, Wire.TRANSACT_SIZE, version);
    ParcelWriter reply = new ParcelWriter();
    if (call.target() == Wire.SPECIAL || Wire.hasUnknownOptions(call.target())) {
      int status =
          call.target() == Wire.SPECIAL ? special(call.code(), reply) : RpcStatus.BAD_VALUE.value();
      if (!call.isOneway()) {
        reply(connection, status, reply);
      }
      return;
    }
    RpcService service = nodes.call(call.target());
    ParcelReader data = receive(parcel);
    Frame outer = frames.get();
    int depth = outer == null ? 1 : outer.depth + 1;
    if (depth > MAX_DEPTH) {
      throw new RpcProtocolException("the server nested more than " + MAX_DEPTH + " calls");
    }
    frames.set(new Frame(connection, !call.isOneway(), depth));
    int status;
    try {
      status =
          call.isOneway() ? serveOneway(service, call, data) : dispatch(service, call, data, reply);
    } finally {
      frames.set(outer);
    }
    release(call.target(), nodes.giveBack(call.target()));
    if (call.isOneway()) {
      writeReleased(connection);
    } else {
      reply(connection, status, reply);
    }
    endIfOver();
  }

  private static int dispatch(
      RpcService service, Wire.Transaction call, ParcelReader data, ParcelWriter reply) {
    return Dispatcher.dispatch(service, call.code(), data, reply);
  }

  private int serveOneway(RpcService service, Wire.Transaction call, ParcelReader data) {
    NodeTable.Queued next = new NodeTable.Queued(call.code(), data);
    if (nodes.isTurn(call.target(), call.number(), next)) {
      while (next != null) {
        Dispatcher.dispatch(service, next.code(), next.data(), new ParcelWriter());
        next = nodes.nextOneway(call.target());
      }
    }
    return 0;
  }

  private int special(int code, ParcelWriter reply) {
    if (code == Wire.GET_MAX_THREADS) {
      reply.writeInt(callbackThreads);
      return 0;
    }
    // No server needs the session's id, and there is no root on this side.
    return code == Wire.GET_ROOT ? 0 : RpcStatus.UNKNOWN_TRANSACTION.value();
  }

  private void reply(RpcConnection connection, int status, ParcelWriter parcel) throws IOException {
    Wire.Packed packed = Wire.Packed.EMPTY;
    int actual = status;
    if (status == 0) {
      try {
        packed = pack(parcel, Wire.replySize(version));
      } catch (IllegalArgumentException | IllegalStateException e) {
        actual = RpcStatus.FAILED_TRANSACTION.value();
      }
    }
    writeReleased(connection);
    connection.write(Wire.reply(version, actual, packed));
  }

  /** The bytes of a parcel with the addresses of its objects; each is counted as sent. */
  private Wire.Packed pack(ParcelWriter parcel, int fixed) {
    Map<Integer, RpcObject> objects = parcel.objects();
    int[] table = new int[version < 2 ? 0 : objects.size()];
    if (fixed + parcel.size() + 4L * table.length >= Wire.MAX_SENT_BODY) {
      throw new IllegalArgumentException(
          "a parcel must be shorter than "
              + (Wire.MAX_SENT_BODY - fixed)
              + " bytes but has "
              + parcel.size());
    }
    byte[] data = parcel.toByteArray();
    ByteBuffer bytes = ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN);
    List<Long> sent = new ArrayList<>();
    try {
      for (Map.Entry<Integer, RpcObject> object : objects.entrySet()) {
        long address = nodes.send(object.getValue());
        if (table.length > 0) {
          table[sent.size()] = object.getKey();
        }
        sent.add(address);
        bytes.putLong(object.getKey() + 4, address);
      }
    } catch (IllegalStateException e) {
      sent.forEach(nodes::unsend);
      throw e;
    }
    return new Wire.Packed(data, table);
  }

  /** A received parcel. From version 2 on, its objects are received now. */
  private ParcelReader receive(Wire.Packed parcel) {
    TreeMap<Integer, RpcObject> objects = new TreeMap<>();
    if (version < 2) {
      if (parcel.table().length > 0) {
        throw new RpcProtocolException("the server sent a descriptor");
      }
      return new ParcelReader(parcel.data(), objects, this::receive);
    }
    ByteBuffer data = ByteBuffer.wrap(parcel.data()).order(ByteOrder.LITTLE_ENDIAN);
    long free = 0;
    for (int entry : parcel.table()) {
      long at = Integer.toUnsignedLong(entry);
      if (at < free
          || at % 4 != 0
          || at + OBJECT + 4 > data.limit()
          || data.getInt((int) at) != TYPE_BINDER) {
        throw new RpcProtocolException("the server sent no object at byte " + at + " of a parcel");
      }
      objects.put((int) at, receive(data.getLong((int) at + 4), data.getInt((int) at + OBJECT)));
      free = at + OBJECT;
    }
    return new ParcelReader(parcel.data(), objects, null);
  }

  private RpcObject receive(long address, int stability) {
    RpcObject object = nodes.receive(address, stability);
    if (object instanceof RpcService) {
      // It is here anyway.
      release(address, nodes.giveBack(address));
    }
    return object;
  }

  @Override
  public void release(RpcBinder binder) {
    int amount = nodes.release(binder);
    if (amount == 0) {
      return;
    }
    release(binder.address(), amount);
    RpcConnection connection = pool.poll();
    if (connection != null) {
      try {
        inTime(
            () -> {
              writeReleased(connection);
              return connection;
            });
      } catch (IOException e) {
        end("the connection to the server failed (" + e + "): connect again", e);
      } finally {
        pool.giveBack(connection);
      }
    }
    endIfOver();
  }

  private void release(long address, int amount) {
    if (amount > 0) {
      synchronized (released) {
        released.merge(address, amount, Math::addExact);
      }
    }
  }

  private void writeReleased(RpcConnection connection) throws IOException {
    ByteBuffer messages;
    synchronized (released) {
      if (released.isEmpty()) {
        return;
      }
      messages = Wire.decStrong(released);
      released.clear();
    }
    connection.write(messages);
  }
}
