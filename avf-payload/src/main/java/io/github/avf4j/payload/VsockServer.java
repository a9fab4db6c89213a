package io.github.avf4j.payload;

import java.io.Closeable;
import java.io.IOException;

/**
 * A vsock port of this virtual machine, to which the host connects with {@code
 * VirtualMachine.connectVsock}. Thread-safe.
 */
public final class VsockServer implements Closeable {
  /** Any port that is free. */
  private static final int ANY = -1;

  private static final long MAX_PORT = 0xffff_fffeL;

  private final VsockHandle handle;
  private final long port;

  private VsockServer(VsockHandle handle) throws IOException {
    this.handle = handle;
    try {
      this.port = handle.call("port", (socket, event) -> VsockNative.localPort(socket));
    } catch (IOException e) {
      handle.close();
      throw e;
    }
  }

  /**
   * Listens on a port.
   *
   * @param port 1 to 4294967294
   * @throws IOException if it is taken, or there is no vsock
   */
  public static VsockServer listen(long port) throws IOException {
    return new VsockServer(
        VsockHandle.of(VsockNative.listen(checked(port)), "listen on port " + port));
  }

  /** Listens on any port that is free; {@link #port} says which. */
  public static VsockServer listen() throws IOException {
    return new VsockServer(VsockHandle.of(VsockNative.listen(ANY), "listen"));
  }

  static int checked(long port) {
    if (port < 1 || port > MAX_PORT) {
      throw new IllegalArgumentException(
          "port must be in 1..%d but was %d".formatted(MAX_PORT, port));
    }
    return (int) port;
  }

  /** Returns the port. */
  public long port() {
    return port;
  }

  /**
   * Waits for a connection.
   *
   * @throws java.nio.channels.AsynchronousCloseException if this is closed meanwhile
   * @throws java.nio.channels.ClosedChannelException if it was closed before
   * @throws IOException if the system fails
   */
  public VsockStream accept() throws IOException {
    return new VsockStream(
        VsockHandle.of((int) handle.call("accept", VsockNative::accept), "accept"));
  }

  /** Stops listening; connections stay. Idempotent. */
  @Override
  public void close() {
    handle.close();
  }
}
