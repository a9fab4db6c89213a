package io.github.avf4j.payload;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.nio.channels.Channels;

/**
 * A vsock connection, a stream of bytes in both directions.
 *
 * <p>Reads and writes block; {@link #write} takes all bytes. {@link #close} ends a call that blocks
 * on another thread, with an {@link java.nio.channels.AsynchronousCloseException}.
 *
 * <p>Thread-safe: one thread may read while another writes.
 */
public final class VsockStream implements ByteChannel {
  /** The context identifier of the host. */
  public static final long HOST = 2;

  private static final int BUFFER = 1 << 16;

  private final VsockHandle handle;
  private final Object reading = new Object();
  private final Object writing = new Object();
  private final ByteBuffer input = ByteBuffer.allocateDirect(BUFFER);
  private final ByteBuffer output = ByteBuffer.allocateDirect(BUFFER);

  VsockStream(VsockHandle handle) {
    this.handle = handle;
  }

  /**
   * Connects to a port.
   *
   * @param cid of the machine, {@link #HOST} for the host
   * @param port 1 to 4294967294
   * @throws IOException if nobody listens there
   */
  public static VsockStream connect(long cid, long port) throws IOException {
    if (cid < 0 || cid > 0xffff_ffffL) {
      throw new IllegalArgumentException("cid must have 32 bits but was " + cid);
    }
    int socket = VsockNative.connect((int) cid, VsockServer.checked(port));
    return new VsockStream(VsockHandle.of(socket, "connect to port " + port));
  }

  /** Returns the other side's context identifier. */
  public long peerCid() throws IOException {
    return handle.call("peer", (socket, event) -> VsockNative.peerCid(socket));
  }

  @Override
  public int read(ByteBuffer target) throws IOException {
    synchronized (reading) {
      int room = Math.min(target.remaining(), BUFFER);
      if (room == 0) {
        return 0;
      }
      int count =
          (int)
              handle.call(
                  "read", (socket, event) -> VsockNative.read(socket, event, input, 0, room));
      if (count == 0) {
        return -1;
      }
      target.put(input.clear().limit(count));
      return count;
    }
  }

  @Override
  public int write(ByteBuffer source) throws IOException {
    synchronized (writing) {
      int total = source.remaining();
      while (source.hasRemaining()) {
        int piece = Math.min(source.remaining(), BUFFER);
        output.clear().put(source.slice(source.position(), piece));
        int count =
            (int)
                handle.call(
                    "write", (socket, event) -> VsockNative.write(socket, event, output, 0, piece));
        source.position(source.position() + count);
      }
      return total;
    }
  }

  /** Returns what the other side sends, as a stream; closing it closes this. */
  public InputStream input() {
    return Channels.newInputStream(this);
  }

  /** Returns the stream to the other side; closing it closes this. */
  public OutputStream output() {
    return Channels.newOutputStream(this);
  }

  /** Tells the other side that no more bytes come; reading goes on. */
  public void shutdownOutput() throws IOException {
    handle.call("shutdown", (socket, event) -> VsockNative.shutdownOutput(socket));
  }

  @Override
  public boolean isOpen() {
    return handle.isOpen();
  }

  /** Closes both directions. Idempotent. */
  @Override
  public void close() {
    handle.close();
  }
}
