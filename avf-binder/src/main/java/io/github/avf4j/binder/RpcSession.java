package io.github.avf4j.binder;

import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * A session with an RPC Binder server: its connections, and the objects that both sides know.
 *
 * <p>The session ends when it is closed here or by the server, when a connection fails, when a call
 * takes longer than allowed, or when the server breaks the protocol. Calls then throw {@link
 * RpcSessionEndedException}.
 *
 * <p>Thread-safe.
 */
public final class RpcSession implements AutoCloseable {
  private static final int RESPONSE = 8;

  private final int version;
  private final ConnectionPool pool;
  private final Calls calls;
  private final RpcBinder root;

  private RpcSession(int version, ConnectionPool pool, Calls calls, RpcBinder root) {
    this.version = version;
    this.pool = pool;
    this.calls = calls;
    this.root = root;
  }

  /** Connects with {@link RpcSessionOptions#defaults}; see the other {@code connect}. */
  public static RpcSession connect(RpcConnector connector) {
    return connect(connector, RpcSessionOptions.defaults());
  }

  /**
   * Connects, and fetches the root object; blocks meanwhile. What the connector throws at run time
   * is thrown on.
   *
   * @throws RpcSessionEndedException if a connection fails, or the server does not answer
   * @throws RpcProtocolException if the server sends what it must not, or has no root
   */
  public static RpcSession connect(RpcConnector connector, RpcSessionOptions options) {
    ConnectionPool pool = new ConnectionPool();
    try {
      return connect(connector, options, pool);
    } catch (IOException e) {
      // If the time was up, then this is what happened.
      RpcSessionEndedException why = pool.why();
      pool.end("no session", e);
      throw why != null
          ? why
          : new RpcSessionEndedException("cannot connect to the server: " + e, e);
    } catch (MalformedParcelException e) {
      pool.end("no session", e);
      throw new RpcProtocolException(
          "the server sent no root object, or no threads or id: " + e.getMessage());
    } catch (RuntimeException e) {
      pool.end("no session", e);
      throw e;
    }
  }

  private static RpcSession connect(
      RpcConnector connector, RpcSessionOptions options, ConnectionPool pool) throws IOException {
    RpcConnection first = new RpcConnection(connector.connect());
    pool.add(first);
    ByteBuffer hello = Wire.connectionHeader(options.maxVersion(), null, false);
    int version = exchange(first, options, pool, hello, RESPONSE).getInt(0);
    if (version < 0 || version > options.maxVersion()) {
      throw new RpcProtocolException(
          "the server answered version "
              + Integer.toUnsignedString(version)
              + " where at most "
              + options.maxVersion()
              + " was offered");
    }
    Calls calls = new Calls(version, options, pool);
    pool.giveBack(first);
    int threads = calls.special(Wire.GET_MAX_THREADS).readInt();
    if (threads < 1) {
      throw new RpcProtocolException("the server has " + threads + " threads");
    }
    byte[] id = calls.special(Wire.GET_SESSION_ID).readByteArray();
    if (id == null || id.length != Wire.SESSION_ID) {
      throw new RpcProtocolException("the server sent no session id of 32 bytes");
    }
    for (int i = 1; i < Math.min(threads, options.connections()); i++) {
      RpcConnection further = new RpcConnection(connector.connect());
      pool.add(further);
      exchange(further, options, pool, Wire.connectionHeader(version, id, false), 0);
      pool.giveBack(further);
    }
    for (int i = 0; i < options.callbackConnections(); i++) {
      RpcConnection incoming = new RpcConnection(connector.connect());
      pool.add(incoming);
      ByteBuffer header = Wire.connectionHeader(version, id, true);
      if (!Wire.isInit(exchange(incoming, options, pool, header, RESPONSE))) {
        throw new RpcProtocolException("the server did not begin a connection with cci");
      }
      Thread thread = new Thread(() -> calls.serve(incoming), "rpc-binder-callback" + i);
      thread.setDaemon(true);
      thread.start();
    }
    RpcBinder root = calls.special(Wire.GET_ROOT).readRemoteBinder();
    return new RpcSession(version, pool, calls, root);
  }

  /** Writes, and reads so many bytes. */
  private static ByteBuffer exchange(
      RpcConnection connection,
      RpcSessionOptions options,
      ConnectionPool pool,
      ByteBuffer bytes,
      int answer)
      throws IOException {
    return Alarm.after(
        options.timeout(),
        () -> pool.end("the server has not answered within " + options.timeout(), null),
        () -> {
          connection.write(bytes);
          return connection.read(answer);
        });
  }

  /** Returns the server's root object. With it, the session ends. */
  public RpcBinder root() {
    return root;
  }

  /** Returns the version of the protocol that both sides speak. */
  public int version() {
    return version;
  }

  /** Returns whether the session goes on, as far as is known. */
  public boolean isOpen() {
    return pool.isOpen();
  }

  /** Closes all connections; calls of other threads end. Idempotent. */
  @Override
  public void close() {
    calls.end("the session was closed", null);
  }
}
