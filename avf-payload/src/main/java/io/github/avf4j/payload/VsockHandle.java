package io.github.avf4j.payload;

import java.io.IOException;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedChannelException;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * A socket's descriptor, which is not closed while a call uses it: its number could be another
 * file's by then. Closing wakes calls that block. Thread-safe.
 */
final class VsockHandle {
  private static final Map<Integer, String> ERRORS =
      Map.of(
          13, "permission denied",
          19, "there is no vsock device",
          32, "the other side reads no more",
          97, "the kernel has no vsock",
          98, "the port is taken",
          104, "the other side has reset the connection",
          107, "not connected",
          110, "the other side does not answer",
          111, "nobody listens there");

  private final int socket;
  private final int event;
  private final AtomicBoolean closed = new AtomicBoolean();
  private final ReadWriteLock users = new ReentrantReadWriteLock();

  /** A call on the descriptor and its event; less than 0 if it failed. */
  @FunctionalInterface
  interface Call {
    long on(int socket, int event);
  }

  private VsockHandle(int socket, int event) {
    this.socket = socket;
    this.event = event;
  }

  /** Takes over a descriptor, or throws what its number says. */
  static VsockHandle of(int socket, String what) throws IOException {
    check(socket, what);
    int event = VsockNative.event();
    if (event < 0) {
      VsockNative.close(socket);
    }
    return new VsockHandle(socket, (int) check(event, "eventfd"));
  }

  /** Makes a call; a result that is an error becomes an exception. */
  long call(String what, Call call) throws IOException {
    users.readLock().lock();
    try {
      if (closed.get()) {
        throw new ClosedChannelException();
      }
      long result = call.on(socket, event);
      if (result == VsockNative.CANCELED) {
        throw new AsynchronousCloseException();
      }
      return check(result, what);
    } finally {
      users.readLock().unlock();
    }
  }

  private static long check(long result, String what) throws IOException {
    if (result < 0) {
      throw new IOException(
          "vsock %s failed: %s (errno %d)"
              .formatted(what, ERRORS.getOrDefault((int) -result, "error of the system"), -result));
    }
    return result;
  }

  boolean isOpen() {
    return !closed.get();
  }

  void close() {
    if (!closed.compareAndSet(false, true)) {
      return;
    }
    VsockNative.signal(event);
    users.writeLock().lock();
    try {
      VsockNative.close(socket);
      VsockNative.close(event);
    } finally {
      users.writeLock().unlock();
    }
  }
}
