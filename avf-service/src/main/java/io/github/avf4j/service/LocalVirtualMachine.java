package io.github.avf4j.service;

import io.github.avf4j.BootTimeline;
import io.github.avf4j.Cid;
import io.github.avf4j.IllegalVmStateException;
import io.github.avf4j.StopReason;
import io.github.avf4j.VirtualMachine;
import io.github.avf4j.VirtualMachineCallback;
import io.github.avf4j.VirtualMachineConfig;
import io.github.avf4j.VsockChannel;
import io.github.avf4j.VsockListener;
import io.github.avf4j.microdroid.GuestImages;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * One machine of a store.
 *
 * <p>Its state follows from three facts: whether it was deleted, whether its current run is over,
 * and whether its files are there.
 *
 * <p>Thread-safe.
 */
final class LocalVirtualMachine implements VirtualMachine {
  private static final Duration CONNECT_LIMIT = Duration.ofSeconds(2);

  private final String name;
  private final VirtualMachineConfig config;
  private final Store store;
  private final MicrodroidHost host;
  private final Backends backends;
  private final MachineSpecs specs;
  private final Cid cid = Cids.take();
  private final Callbacks callbacks = new Callbacks();
  private final Output output = new Output();

  // Guarded by this.
  private @Nullable Run run;
  private boolean deleted;
  private boolean retired;

  LocalVirtualMachine(
      String name,
      VirtualMachineConfig config,
      Store store,
      Backends backends,
      GuestImages images,
      MicrodroidHost host) {
    this.name = name;
    this.config = config;
    this.store = store;
    this.host = host;
    this.backends = backends;
    this.specs = new MachineSpecs(images, host, store.folder(name));
  }

  @Override
  public String getName() {
    return name;
  }

  @Override
  public VirtualMachineConfig getConfig() {
    return config;
  }

  @Override
  public synchronized Status getStatus() {
    if (deleted) {
      return Status.DELETED;
    }
    if (run != null && run.state().isRunning()) {
      return Status.RUNNING;
    }
    return store.exists(name) ? Status.STOPPED : Status.DELETED;
  }

  @Override
  public Cid getCid() {
    return cid;
  }

  @Override
  public void setCallback(Executor executor, VirtualMachineCallback callback) {
    callbacks.set(
        Objects.requireNonNull(executor, "executor"), Objects.requireNonNull(callback, "callback"));
  }

  @Override
  public void clearCallback() {
    callbacks.clear();
  }

  Callbacks callbacks() {
    return callbacks;
  }

  @Override
  public void run() {
    Run next;
    synchronized (this) {
      requireStopped("run()");
      if (retired) {
        throw new IllegalVmStateException(
            "run() needs an open manager but that of VM '" + name + "' was closed: open it again");
      }
      next = new Run(this, config);
      run = next;
      output.open();
    }
    next.start(backends, specs, output);
  }

  /** The run is over: nothing more is printed. */
  void ended(Run over) {
    output.end();
    RunningMachines.remove(over);
  }

  @Override
  public void stop() {
    Run running;
    synchronized (this) {
      running = run;
      if (running == null || !running.state().isRunning()) {
        throw new IllegalVmStateException(
            "stop() needs RUNNING but VM '" + name + "' is " + getStatus() + ": VM is not running");
      }
    }
    stop(running);
  }

  private static void stop(Run running) {
    running.kill(new StopReason.Killed());
    boolean interrupted = false;
    while (true) {
      try {
        // The run bounds this wait itself.
        if (running.awaitEnded(Duration.ofMinutes(1)).isPresent()) {
          break;
        }
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    Run running = current();
    if (running != null && running.state().isRunning()) {
      stop(running);
    }
  }

  /** The manager is closed: stops the machine for good. */
  void retire() {
    synchronized (this) {
      retired = true;
    }
    close();
    output.end();
  }

  /** Deletes the machine's files. */
  void delete() {
    synchronized (this) {
      requireStopped("delete()");
      host.delete(store, name);
      deleted = true;
    }
    output.end();
  }

  private void requireStopped(String call) {
    Status status = getStatus();
    if (status == Status.DELETED) {
      throw new IllegalVmStateException(
          call + " needs STOPPED but VM '" + name + "' was deleted: create it again");
    }
    if (status != Status.STOPPED) {
      throw new IllegalVmStateException(
          call
              + " needs STOPPED but VM '"
              + name
              + "' is "
              + status
              + ", not in stopped state: stop() it first");
    }
  }

  private synchronized @Nullable Run current() {
    return run;
  }

  /** Returns what is known about the run of a machine that is running. */
  private synchronized RunState running(String call) {
    if (run == null || !run.state().isRunning()) {
      Status status = getStatus();
      throw new IllegalVmStateException(
          call
              + " needs RUNNING but VM '"
              + name
              + (status == Status.DELETED
                  ? "' was deleted: create it again"
                  : "' is " + status + ", not in running state: run() it first"));
    }
    return run.state();
  }

  @Override
  public boolean awaitReady(Duration timeout) throws InterruptedException {
    Run current = current();
    return current != null && current.state().awaitReady(timeout);
  }

  @Override
  public Optional<StopReason> awaitStopped(Duration timeout) throws InterruptedException {
    Run current = current();
    return current == null ? Optional.empty() : current.awaitEnded(timeout);
  }

  @Override
  public Optional<Integer> getPayloadExitCode() {
    return Optional.ofNullable(current()).flatMap(known -> known.state().exitCode());
  }

  @Override
  public Optional<String> getBackend() {
    return Optional.ofNullable(current()).flatMap(known -> known.state().backend());
  }

  @Override
  public BootTimeline getTimeline() {
    Run current = current();
    return current == null ? new BootTimeline(Map.of()) : current.state().timeline();
  }

  @Override
  public VsockChannel connectVsock(long port) {
    checkPort(port);
    String call = "connectVsock()";
    return running(call).machine(call).vsock().connect(port, CONNECT_LIMIT);
  }

  @Override
  public VsockListener listenVsock(long port) {
    checkPort(port);
    if (port == cid.value()) {
      throw new IllegalArgumentException(
          "port " + port + " is the machine's CID and taken by the framework: use another");
    }
    String call = "listenVsock()";
    return running(call).machine(call).vsock().listen(port);
  }

  private static void checkPort(long port) {
    if (port < MIN_VSOCK_PORT || port > MAX_VSOCK_PORT) {
      throw new IllegalArgumentException(
          "a vsock port must be in " + MIN_VSOCK_PORT + ".." + MAX_VSOCK_PORT + " but was " + port);
    }
  }

  @Override
  public InputStream getConsoleOutput() {
    requireCapture();
    return output.console().newStream();
  }

  @Override
  public InputStream getLogOutput() {
    requireCapture();
    return output.payload().newStream();
  }

  private void requireCapture() {
    if (!config.outputCaptured()) {
      throw new IllegalVmStateException(
          "Capturing vm outputs is turned off for VM '"
              + name
              + "': create it with debugLevel(FULL) and outputCaptured(true)");
    }
  }

  @Override
  public long getDroppedOutput() {
    return output.dropped();
  }

  @Override
  public OutputStream getConsoleInput() {
    if (!config.consoleInputSupported()) {
      throw new IllegalVmStateException(
          "VM console input is not supported for VM '"
              + name
              + "': create it with debugLevel(FULL) and consoleInputSupported(true)");
    }
    String call = "writing to the console";
    return new ConsoleInput(() -> running(call).machine(call).consoleInput());
  }

  @Override
  public String toString() {
    return "VirtualMachine(name: " + name + ", cid: " + cid + ", status: " + getStatus() + ')';
  }
}
