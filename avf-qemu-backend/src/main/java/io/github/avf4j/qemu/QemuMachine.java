package io.github.avf4j.qemu;

import io.github.avf4j.StopReason;
import io.github.avf4j.linux.Threads;
import io.github.avf4j.qemu.process.MachineProcess;
import io.github.avf4j.qemu.process.QemuBinary;
import io.github.avf4j.qemu.qmp.QmpMessage;
import io.github.avf4j.spi.Machine;
import io.github.avf4j.spi.MachineListener;
import io.github.avf4j.spi.MachineSpec;
import io.github.avf4j.spi.VsockHost;
import io.github.avf4j.virtio.vsock.VsockConfig;
import io.github.avf4j.virtio.vsock.VsockDevice;
import java.io.IOException;
import java.io.OutputStream;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A machine in a QEMU process.
 *
 * <p>One thread follows QEMU's events from the machine's making to its end, and tells the listener.
 * A guest that resets stops, and so does one whose vCPU ends in a triple fault; the two are told
 * apart by QEMU's log. When QEMU ends for no reason of the guest's and nobody here asked for it,
 * the reason is {@link StopReason.InfrastructureError} with QEMU's status and last words.
 *
 * <p>Thread-safe.
 */
final class QemuMachine implements Machine {
  private static final Logger LOG = LoggerFactory.getLogger(QemuMachine.class);

  /** How long QEMU may take to end by itself once the guest has stopped. */
  private static final Duration END_TIMEOUT = Duration.ofSeconds(5);

  private static final Duration KILL_TIMEOUT = Duration.ofSeconds(10);

  /** What QEMU's virtio-mmio offers for every queue, whatever the device. */
  private static final int QUEUE_SIZE = 1024;

  private enum State {
    MADE,
    STARTED,
    CLOSED
  }

  private final String name;
  private final MachineListener listener;
  private final VsockDevice vsock;
  private final MachineProcess process;
  private final Thread control;
  private final Object lock = new Object();

  /** Guarded by lock, as is what follows. */
  private State state = State.MADE;

  private boolean wasStarted;
  private boolean killRequested;

  /** Starts QEMU; see {@link MachineProcess} for the exceptions. */
  QemuMachine(QemuBinary binary, MachineSpec spec, MachineListener listener) {
    this.name = spec.name();
    this.listener = listener;
    this.vsock =
        new VsockDevice(VsockConfig.builder().cid(spec.cid()).queueSize(QUEUE_SIZE).build());
    this.process = new MachineProcess(binary, spec, vsock);
    control = new Thread(null, this::follow, "avf-" + name + "-qmp", 512 << 10);
    control.setDaemon(true);
    try {
      control.start();
    } catch (Throwable t) { // no thread can be made
      process.close();
      throw t;
    }
  }

  @Override
  public void start() {
    synchronized (lock) {
      if (state != State.MADE) {
        throw new IllegalStateException(
            "start() needs MADE but machine '" + name + "' is " + state);
      }
      state = State.STARTED;
      wasStarted = true;
      lock.notifyAll();
    }
    try {
      process.qmp().send("cont");
    } catch (IOException e) {
      LOG.debug("QEMU of {} ended before its start: {}", name, e.toString());
    }
  }

  @Override
  public void kill() {
    synchronized (lock) {
      killRequested = true;
    }
    process.kill();
  }

  @Override
  public VsockHost vsock() {
    return vsock.host();
  }

  @Override
  public OutputStream consoleInput() {
    return process.consoleInput();
  }

  private void follow() {
    QmpMessage.Event shutdown = awaitShutdown();
    StopReason reason = awaitReason(shutdown);
    vsock.close();
    if (awaitStarted()) {
      tell(() -> listener.stopped(reason));
    }
  }

  /** Follows QEMU's events up to SHUTDOWN; null if QEMU ends without it. */
  private QmpMessage.@Nullable Event awaitShutdown() {
    try {
      for (QmpMessage m = process.qmp().receive(); m != null; m = process.qmp().receive()) {
        if (m instanceof QmpMessage.Event event) {
          switch (event.name()) {
            case "RESUME" -> tell(() -> listener.entered(System.nanoTime()));
            case "SHUTDOWN" -> {
              return event;
            }
            default -> LOG.debug("QEMU of {}: {}", name, event);
          }
        } else if (m instanceof QmpMessage.Failure failure) {
          LOG.warn("QEMU of {} refused a command: {}", name, failure.description());
          process.kill();
        }
      }
    } catch (IOException e) {
      LOG.debug("the QMP connection of {} ended: {}", name, e.toString());
      process.kill();
    }
    return null;
  }

  private void tell(Runnable news) {
    try {
      news.run();
    } catch (RuntimeException e) {
      LOG.warn("a listener of {} failed", name, e);
    }
  }

  private StopReason awaitReason(QmpMessage.@Nullable Event shutdown) {
    if (!process.awaitEnd(END_TIMEOUT)) {
      process.kill();
      if (!process.awaitEnd(KILL_TIMEOUT)) {
        return new StopReason.InfrastructureError("QEMU does not end, not even by SIGKILL");
      }
    }
    StopReason reason =
        shutdown == null ? null : StopReasons.ofShutdown(shutdown.data(), process.sawTripleFault());
    if (reason != null) {
      return reason;
    }
    synchronized (lock) {
      return killRequested
          ? new StopReason.Killed()
          : new StopReason.InfrastructureError("QEMU ended with " + process.describeEnd());
    }
  }

  /** Waits until it is known whether somebody starts the machine. */
  private boolean awaitStarted() {
    synchronized (lock) {
      while (state == State.MADE) {
        try {
          lock.wait();
        } catch (InterruptedException e) {
          return wasStarted; // nobody interrupts this thread
        }
      }
      return wasStarted;
    }
  }

  @Override
  public void close() {
    if (Thread.currentThread() == control) {
      throw new IllegalStateException("close() must not be called from a listener");
    }
    kill();
    synchronized (lock) {
      state = State.CLOSED;
      lock.notifyAll();
    }
    Threads.joinUninterruptibly(control);
    process.close();
    vsock.close();
  }
}
