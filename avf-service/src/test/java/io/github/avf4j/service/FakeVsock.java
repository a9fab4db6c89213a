package io.github.avf4j.service;

import io.github.avf4j.VsockChannel;
import io.github.avf4j.VsockConnectException;
import io.github.avf4j.VsockListener;
import io.github.avf4j.spi.VsockHost;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** A vsock device without a machine: streams in memory between the host and a scripted guest. */
final class FakeVsock implements VsockHost, AutoCloseable {
  private static final FakeChannel CLOSED = new FakeChannel(0, 0);

  private final Map<Long, FakeListener> hostPorts = new ConcurrentHashMap<>();
  private final Map<Long, FakeListener> guestPorts = new ConcurrentHashMap<>();
  private final Set<FakeChannel> channels = ConcurrentHashMap.newKeySet();
  private volatile boolean closed;

  @Override
  public VsockChannel connect(long port, Duration timeout) {
    return connect(guestPorts, port);
  }

  @Override
  public VsockListener listen(long port) {
    return listen(hostPorts, port);
  }

  /** The guest connects to the host. */
  VsockChannel connectToHost(long port) {
    return connect(hostPorts, port);
  }

  /** The guest listens. */
  VsockListener listenInGuest(long port) {
    return listen(guestPorts, port);
  }

  private VsockChannel connect(Map<Long, FakeListener> ports, long port) {
    FakeListener listener = ports.get(port);
    if (listener == null || closed) {
      throw new VsockConnectException(
          VsockConnectException.Cause.REFUSED, port, "nobody listens on " + port);
    }
    FakeChannel near = new FakeChannel(port, 1024);
    FakeChannel far = new FakeChannel(port, 1024);
    near.peer = far;
    far.peer = near;
    channels.add(near);
    channels.add(far);
    listener.waiting.add(far);
    return near;
  }

  private static VsockListener listen(Map<Long, FakeListener> ports, long port) {
    FakeListener listener = new FakeListener(ports, port);
    if (ports.putIfAbsent(port, listener) != null) {
      throw new IllegalArgumentException("port " + port + " is taken");
    }
    return listener;
  }

  @Override
  public void close() {
    closed = true;
    hostPorts.values().forEach(FakeListener::close);
    guestPorts.values().forEach(FakeListener::close);
    channels.forEach(FakeChannel::reset);
  }

  private static final class FakeListener implements VsockListener {
    private final Map<Long, FakeListener> ports;
    private final long port;
    private final LinkedBlockingQueue<FakeChannel> waiting = new LinkedBlockingQueue<>();

    FakeListener(Map<Long, FakeListener> ports, long port) {
      this.ports = ports;
      this.port = port;
    }

    @Override
    public long port() {
      return port;
    }

    @Override
    public Optional<VsockChannel> accept(Duration timeout) throws InterruptedException {
      FakeChannel channel = waiting.poll(timeout.toMillis(), TimeUnit.MILLISECONDS);
      if (channel == CLOSED) {
        waiting.add(CLOSED);
        return Optional.empty();
      }
      return Optional.ofNullable(channel);
    }

    @Override
    public void close() {
      ports.remove(port, this);
      waiting.add(CLOSED);
    }
  }

  private static final class FakeChannel implements VsockChannel {
    private final long guestPort;
    private final long hostPort;
    private final ArrayDeque<Byte> received = new ArrayDeque<>();
    private FakeChannel peer;
    private boolean ended;
    private boolean reset;

    FakeChannel(long guestPort, long hostPort) {
      this.guestPort = guestPort;
      this.hostPort = hostPort;
    }

    @Override
    public long guestPort() {
      return guestPort;
    }

    @Override
    public long hostPort() {
      return hostPort;
    }

    @Override
    public void shutdownOutput() {
      peer.end();
    }

    private synchronized void end() {
      ended = true;
      notifyAll();
    }

    private synchronized void reset() {
      reset = true;
      notifyAll();
    }

    @Override
    public synchronized int read(ByteBuffer target) throws IOException {
      while (received.isEmpty() && !ended && !reset) {
        try {
          wait();
        } catch (InterruptedException e) {
          throw new IOException(e);
        }
      }
      if (reset) {
        throw new IOException("reset");
      }
      if (received.isEmpty()) {
        return -1;
      }
      int count = 0;
      while (target.hasRemaining() && !received.isEmpty()) {
        target.put(received.remove());
        count++;
      }
      return count;
    }

    @Override
    public int write(ByteBuffer source) throws IOException {
      if (!isOpen()) {
        throw new IOException("reset");
      }
      int count = source.remaining();
      peer.receive(source);
      return count;
    }

    private synchronized void receive(ByteBuffer source) {
      while (source.hasRemaining()) {
        received.add(source.get());
      }
      notifyAll();
    }

    @Override
    public synchronized boolean isOpen() {
      return !reset;
    }

    @Override
    public void close() {
      peer.end();
      reset();
    }
  }
}
