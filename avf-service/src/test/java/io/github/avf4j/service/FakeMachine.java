package io.github.avf4j.service;

import io.github.avf4j.StopReason;
import io.github.avf4j.VsockChannel;
import io.github.avf4j.spi.Machine;
import io.github.avf4j.spi.MachineListener;
import io.github.avf4j.spi.MachineSpec;
import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** A machine that is a thread with a script. */
final class FakeMachine implements Machine {
  /** What the guest does; may block until it is interrupted. */
  interface Guest {
    void run(FakeMachine machine) throws Exception;
  }

  final MachineSpec spec;
  final FakeVsock vsock = new FakeVsock();
  final ByteArrayOutputStream consoleInput = new ByteArrayOutputStream();
  RuntimeException startFailure;
  RuntimeException killFailure;
  RuntimeException closeFailure;
  private final MachineListener listener;
  private final Guest guest;
  private final CountDownLatch over = new CountDownLatch(1);
  private Thread vcpu;
  private boolean stopped;
  private volatile boolean closed;

  FakeMachine(MachineSpec spec, MachineListener listener, Guest guest) {
    this.spec = spec;
    this.listener = listener;
    this.guest = guest;
  }

  @Override
  public synchronized void start() {
    if (vcpu != null || closed) {
      throw new IllegalStateException("started or closed before");
    }
    if (startFailure != null) {
      throw startFailure;
    }
    vcpu = new Thread(this::execute, "fake-" + spec.name() + "-vcpu0");
    vcpu.setDaemon(true);
    vcpu.start();
  }

  private void execute() {
    listener.entered(System.nanoTime());
    try {
      guest.run(this);
    } catch (Exception e) {
      // Killed, or the host closed a stream.
    }
    // A guest whose script is over goes on until somebody stops it.
    try {
      over.await();
    } catch (InterruptedException e) {
      // Killed.
    }
  }

  void stop(StopReason reason) {
    boolean started;
    synchronized (this) {
      if (stopped) {
        return;
      }
      stopped = true;
      started = vcpu != null;
    }
    over.countDown();
    if (started) {
      listener.stopped(reason);
    }
  }

  void powerOff() {
    stop(new StopReason.Shutdown());
  }

  @Override
  public void kill() {
    if (killFailure != null) {
      throw killFailure;
    }
    end();
  }

  private void end() {
    stop(new StopReason.Killed());
    Thread thread;
    synchronized (this) {
      thread = vcpu;
    }
    if (thread != null) {
      thread.interrupt();
    }
  }

  @Override
  public FakeVsock vsock() {
    return vsock;
  }

  @Override
  public OutputStream consoleInput() {
    return consoleInput;
  }

  @Override
  public void close() {
    end();
    vsock.close();
    Thread thread;
    synchronized (this) {
      thread = vcpu;
    }
    if (thread != null && thread != Thread.currentThread()) {
      try {
        thread.join(TimeUnit.SECONDS.toMillis(10));
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
    closed = true;
    if (closeFailure != null) {
      throw closeFailure;
    }
  }

  boolean isClosed() {
    return closed;
  }

  // ---- what scripts do

  void serial(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    spec.serialOutput().write(bytes, 0, bytes.length);
  }

  void print(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    spec.consoleOutput().write(bytes, 0, bytes.length);
  }

  VsockChannel reports() {
    return vsock.connectToHost(spec.cid().value());
  }

  static ByteBuffer hello() {
    return frame(1, 4 + 8).putInt(1).putLong(1000).flip();
  }

  static ByteBuffer payloadStarted() {
    return frame(2, 4 + 8).putInt(42).putLong(2000).flip();
  }

  static ByteBuffer payloadReady() {
    return frame(3, 8).putLong(3000).flip();
  }

  static ByteBuffer payloadFinished(int exitCode, int signal) {
    return frame(4, 4 + 4).putInt(exitCode).putInt(signal).flip();
  }

  static ByteBuffer error(int code, String message) {
    byte[] text = message.getBytes(StandardCharsets.UTF_8);
    return frame(5, 4 + text.length).putInt(code).put(text).flip();
  }

  static ByteBuffer frame(int kind, int fields) {
    return ByteBuffer.allocate(4 + 1 + fields)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putInt(1 + fields)
        .put((byte) kind);
  }

  /** The life of a payload that ends with exit code 0. */
  static void wellBehaved(FakeMachine machine) throws Exception {
    try (VsockChannel reports = machine.reports()) {
      reports.write(hello());
      reports.write(payloadStarted());
      reports.write(payloadReady());
      reports.write(payloadFinished(0, 0));
      awaitHostsClose(reports);
    }
    machine.powerOff();
  }

  /** As the real guest: what was sent is known to have arrived when the host closes its side. */
  static void awaitHostsClose(VsockChannel reports) throws Exception {
    reports.shutdownOutput();
    while (reports.read(ByteBuffer.allocate(16)) >= 0) {
      // The host has nothing to say.
    }
  }
}
