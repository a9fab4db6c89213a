package io.github.avf4j.qemu.vhostuser;

import io.github.avf4j.HypervisorException;
import io.github.avf4j.linux.EventLoop;
import io.github.avf4j.linux.Threads;
import io.github.avf4j.linux.UnixFdChannel;
import io.github.avf4j.linux.UnixFdListener;
import io.github.avf4j.virtio.VirtioDevice;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Serves a virtio device to the first front-end that connects to a Unix socket.
 *
 * <p>A front-end that breaks a rule loses its connection, and with it its device; nothing else
 * happens. Thread-safe.
 */
public final class VhostUserServer implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(VhostUserServer.class);

  private final VirtioDevice device;
  private final int queues;
  private final long memoryLimit;
  private final UnixFdListener listener;
  private final EventLoop loop;
  private final AtomicBoolean closed = new AtomicBoolean();
  private final Object channelLock = new Object();

  /** Guarded by channelLock, so that it is never shut down after it was closed. */
  private @Nullable UnixFdChannel channel;

  /** Belongs to the event loop. */
  private @Nullable Session session;

  private VhostUserServer(
      Path socket, VirtioDevice device, int queues, long memoryLimit, String threadName) {
    this.device = device;
    this.queues = queues;
    this.memoryLimit = memoryLimit;
    this.listener = UnixFdListener.bind(socket);
    try {
      loop = new EventLoop(threadName, e -> LOG.warn("{} failed", threadName, e));
    } catch (Throwable t) { // also when no thread can be made
      listener.close();
      throw t;
    }
  }

  /**
   * Listens on {@code socket}, which must not exist yet.
   *
   * @param device the device, which stays the caller's
   * @param queues how many queues the front-end drives, from queue 0 on
   * @param memoryLimit the size of the guest's memory in bytes
   * @param threadName the name of the one thread that serves messages and queues
   * @throws HypervisorException if there are no descriptors left
   */
  public static VhostUserServer listen(
      Path socket, VirtioDevice device, int queues, long memoryLimit, String threadName) {
    VhostUserServer server = new VhostUserServer(socket, device, queues, memoryLimit, threadName);
    try {
      server.loop.onReadable(server.listener.fd(), server::accept);
    } catch (RuntimeException e) {
      server.close();
      throw e;
    }
    return server;
  }

  private void accept() {
    UnixFdChannel accepted;
    try {
      accepted = listener.accept(Duration.ZERO).orElse(null);
    } catch (HypervisorException e) {
      LOG.warn("a vhost-user connection was refused: {}", e.getMessage());
      stopListening(); // or the loop would try again and again
      return;
    }
    if (accepted == null) {
      return;
    }
    stopListening();
    synchronized (channelLock) {
      channel = accepted;
    }
    Session started = new Session(accepted, device, loop, queues, memoryLimit);
    session = started;
    loop.onReadable(accepted.fd(), () -> serve(started));
  }

  private void stopListening() {
    loop.remove(listener.fd());
    listener.close();
  }

  private void serve(Session served) {
    boolean open = false;
    try {
      open = served.serve();
    } catch (HypervisorException e) {
      LOG.debug("a vhost-user connection failed: {}", e.getMessage());
    } catch (RuntimeException e) {
      LOG.warn("a vhost-user connection was closed: {}", e.getMessage());
    } finally {
      if (!open) {
        endSession();
      }
    }
  }

  private void endSession() {
    Session ended = session;
    if (ended != null) {
      session = null;
      loop.remove(ended.fd());
      synchronized (channelLock) {
        channel = null;
        ended.close();
      }
    }
  }

  /**
   * Ends the connection; on return the device was reset and its memory given back. What the guest
   * has put into its queues before is still taken. Idempotent.
   */
  @Override
  public void close() {
    if (!closed.compareAndSet(false, true)) {
      return;
    }
    synchronized (channelLock) {
      if (channel != null) {
        channel.shutdown(); // wakes a loop that waits inside a message
      }
    }
    CountDownLatch done = new CountDownLatch(1);
    loop.execute(
        () -> {
          try {
            endSession();
            stopListening();
          } finally {
            done.countDown();
          }
        });
    // Without a limit and whatever interrupts: a loop that is closed before it has run the task
    // would
    // leave the guest's memory mapped, and its end is waited for anyway.
    Threads.awaitUninterruptibly(done);
    loop.close();
  }
}
