package io.github.avf4j.service;

import io.github.avf4j.BootStage;
import io.github.avf4j.BootTimeline;
import io.github.avf4j.ErrorCode;
import io.github.avf4j.IllegalVmStateException;
import io.github.avf4j.StopReason;
import io.github.avf4j.VirtualMachineConfig;
import io.github.avf4j.VsockListener;
import io.github.avf4j.microdroid.report.GuestReports;
import io.github.avf4j.spi.Machine;
import io.github.avf4j.spi.MachineListener;
import io.github.avf4j.spi.MachineSpec;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One life of a machine, from {@code run()} until all that it used is given back.
 *
 * <p>Whatever happens is noted under the lock; the keeper thread alone acts on it: it kills a
 * machine that is late, waits for the end, closes everything, and says why it ended.
 *
 * <p>Thread-safe.
 */
final class Run implements MachineListener, GuestLink.Listener, PanicWatch.Listener {
  private static final Logger log = LoggerFactory.getLogger(Run.class);

  /** How long a host may take from start to the guest's first instruction. */
  private static final Duration ENTRY_LIMIT = Duration.ofSeconds(60);

  /** How long a kernel may go on after its panic's last line: it resets soon or never. */
  private static final Duration PANIC_GRACE = Duration.ofSeconds(1);

  /** How long a backend may take to stop a machine; after that it is closed regardless. */
  private static final Duration KILL_LIMIT = Duration.ofSeconds(10);

  private final LocalVirtualMachine vm;
  private final VirtualMachineConfig config;
  private final long calledAt = System.nanoTime();
  private final Object lock = new Object();

  // All below is guarded by lock.
  private final EnumMap<BootStage, Duration> stages = new EnumMap<>(BootStage.class);
  private final Deadlines deadlines = new Deadlines();
  private @Nullable Machine machine;
  private @Nullable String backend;
  private boolean started;
  private boolean ready;
  private @Nullable Integer exitCode;
  private GuestReports.@Nullable Failure failure;
  private @Nullable String panic;
  private @Nullable StopReason killedFor;
  private @Nullable StopReason machineStopped;
  private @Nullable StopReason reason;

  Run(LocalVirtualMachine vm, VirtualMachineConfig config) {
    this.vm = vm;
    this.config = config;
    mark(BootStage.CALLED, calledAt);
  }

  /** Makes and starts the machine; returns when its kernel is entered or it has ended. */
  void start(Backends backends, MachineSpecs specs, Output output) {
    Machine made = null;
    try {
      RunningMachines.add(this);
      Backends.Choice choice = backends.choose(config.backend());
      MachineSpec spec =
          specs
              .make(vm.getName(), vm.getCid(), config)
              .serialOutput(output.serialSink(config, vm.getName(), new PanicWatch(this)))
              .consoleOutput(output.payloadSink(config, vm.getName()))
              .build();
      if (isKilled()) {
        end(new StopReason.Killed());
        return;
      }
      made = choice.backend().create(spec, this);
      Optional<VsockListener> reports = listenForReports(made);
      if (!enter(made, choice)) {
        made.close();
        end(new StopReason.Killed());
        return;
      }
      made.start();
      launch(made, reports);
    } catch (RuntimeException | Error e) {
      if (made != null) {
        made.close();
      }
      fail(e);
      throw e;
    }
    awaitEntered();
  }

  private Optional<VsockListener> listenForReports(Machine made) {
    return config.payload().map(payload -> made.vsock().listen(vm.getCid().value()));
  }

  /** Notes the machine; returns false if the run was stopped meanwhile. */
  private boolean enter(Machine made, Backends.Choice choice) {
    synchronized (lock) {
      mark(BootStage.VMM_READY, System.nanoTime());
      machine = made;
      backend = choice.toString();
      return killedFor == null;
    }
  }

  private void launch(Machine made, Optional<VsockListener> reports) {
    Thread keeper = thread("keeper", () -> keep(made));
    Optional<Thread> link =
        reports.map(port -> thread("reports", new GuestLink(vm.getName(), port, this)));
    boolean killed;
    synchronized (lock) {
      started = true;
      killed = killedFor != null;
      long now = System.nanoTime();
      // The machine's threads run already, and may have been quicker than this one.
      if (!stages.containsKey(BootStage.KERNEL_ENTERED)) {
        deadlines.entry.set(now, ENTRY_LIMIT);
      }
      if (reports.isPresent() && !stages.containsKey(BootStage.PAYLOAD_STARTED)) {
        deadlines.payload.set(now, config.bootTimeout());
      }
    }
    if (killed) {
      made.kill();
    }
    link.ifPresent(Thread::start);
    keeper.start();
  }

  private Thread thread(String job, Runnable work) {
    Thread thread = new Thread(work, "avf-" + vm.getName() + '-' + job);
    thread.setDaemon(true);
    return thread;
  }

  private void awaitEntered() {
    boolean interrupted = false;
    synchronized (lock) {
      while (!stages.containsKey(BootStage.KERNEL_ENTERED) && reason == null) {
        try {
          lock.wait();
        } catch (InterruptedException e) {
          // The keeper bounds this wait; whoever interrupts finds the machine running.
          interrupted = true;
        }
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  // ---- what is noted

  @Override
  public void entered(long nanoTime) {
    synchronized (lock) {
      mark(BootStage.KERNEL_ENTERED, nanoTime);
      deadlines.entry.clear();
      lock.notifyAll();
    }
  }

  @Override
  public void stopped(StopReason machineReason) {
    synchronized (lock) {
      if (machineStopped == null) {
        machineStopped = machineReason;
        mark(BootStage.STOPPED, System.nanoTime());
        lock.notifyAll();
      }
    }
  }

  @Override
  public void panicked(String message) {
    synchronized (lock) {
      if (panic == null) {
        panic = message;
      }
    }
  }

  @Override
  public void halted() {
    synchronized (lock) {
      deadlines.panic.set(System.nanoTime(), PANIC_GRACE);
      lock.notifyAll();
    }
  }

  @Override
  public void reported(GuestReports.Report report) {
    synchronized (lock) {
      if (reason != null) {
        return;
      }
      long now = System.nanoTime();
      if (report instanceof GuestReports.Hello) {
        mark(BootStage.INIT, now);
      } else if (report instanceof GuestReports.PayloadStarted) {
        mark(BootStage.PAYLOAD_STARTED, now);
        deadlines.payload.clear();
        vm.callbacks().add(callback -> callback.onPayloadStarted(vm));
      } else if (report instanceof GuestReports.PayloadReady) {
        mark(BootStage.PAYLOAD_READY, now);
        ready = true;
        vm.callbacks().add(callback -> callback.onPayloadReady(vm));
      } else if (report instanceof GuestReports.PayloadFinished finished) {
        mark(BootStage.PAYLOAD_FINISHED, now);
        exitCode = finished.exitCode();
        vm.callbacks().add(callback -> callback.onPayloadFinished(vm, finished.exitCode()));
      } else if (report instanceof GuestReports.Failure failed) {
        failure = failed;
        deadlines.payload.clear();
        vm.callbacks().add(callback -> callback.onError(vm, failed.code(), failed.message()));
      }
      lock.notifyAll();
    }
    vm.callbacks().send();
  }

  @Override
  public void broken(String why) {
    String message = "the guest broke the report protocol: " + why;
    GuestReports.Failure failed = new GuestReports.Failure(ErrorCode.UNKNOWN, message);
    reported(failed);
    kill(new StopReason.MicrodroidError(failed.code(), message));
  }

  @Override
  public boolean isOver() {
    synchronized (lock) {
      return machineStopped != null || reason != null;
    }
  }

  private boolean isKilled() {
    synchronized (lock) {
      return killedFor != null;
    }
  }

  private void mark(BootStage stage, long nanoTime) {
    stages.putIfAbsent(stage, Duration.ofNanos(nanoTime - calledAt));
  }

  // ---- the end

  /** Ends the machine, also one that is still being made. The first reason counts. */
  void kill(StopReason why) {
    Machine running;
    synchronized (lock) {
      if (killedFor == null) {
        killedFor = why;
      }
      deadlines.kill.setOnce(System.nanoTime(), KILL_LIMIT);
      running = started && reason == null ? machine : null;
      lock.notifyAll();
    }
    if (running != null) {
      running.kill();
    }
  }

  private void keep(Machine made) {
    try {
      awaitMachine();
      made.close();
    } catch (RuntimeException | Error e) {
      log.error("{}: the machine could not be closed", vm.getName(), e);
    }
    end(machineReason());
  }

  private void awaitMachine() {
    while (true) {
      StopReason late;
      synchronized (lock) {
        if (machineStopped != null) {
          return;
        }
        long now = System.nanoTime();
        if (deadlines.kill.isOver(now)) {
          log.warn("{}: the machine did not stop in {}", vm.getName(), KILL_LIMIT);
          return;
        }
        late = killedFor == null ? late(now) : null;
        if (late == null) {
          await(deadlines.nanosToNext(now));
          continue;
        }
      }
      kill(late);
    }
  }

  private @Nullable StopReason late(long now) {
    if (deadlines.entry.isOver(now)) {
      return new StopReason.StartFailed("the kernel was not entered within " + ENTRY_LIMIT);
    }
    if (deadlines.panic.isOver(now)) {
      return new StopReason.Crash(
          StopReason.CrashKind.PANIC, panic == null ? "" : panic, Optional.empty());
    }
    if (deadlines.payload.isOver(now)) {
      return new StopReason.Hangup(config.bootTimeout());
    }
    return null;
  }

  /** Waits on the lock; the keeper thread is nobody's to interrupt, so that does not end it. */
  private void await(long nanos) {
    try {
      lock.wait(nanos / 1_000_000, (int) (nanos % 1_000_000));
    } catch (InterruptedException e) {
      log.debug("{}: interrupted", vm.getName());
    }
  }

  private StopReason machineReason() {
    synchronized (lock) {
      StopReason byMachine = machineStopped == null ? new StopReason.Killed() : machineStopped;
      boolean silent = config.payload().isPresent() && !stages.containsKey(BootStage.INIT);
      return StopReasons.decide(byMachine, killedFor, failure, panic, silent);
    }
  }

  private void fail(Throwable cause) {
    synchronized (lock) {
      reason = new StopReason.StartFailed(String.valueOf(cause.getMessage()));
      machine = null;
      lock.notifyAll();
    }
    vm.ended(this);
  }

  private void end(StopReason why) {
    log.debug("{}: {}", vm.getName(), why);
    vm.ended(this);
    synchronized (lock) {
      mark(BootStage.STOPPED, System.nanoTime());
      reason = why;
      machine = null;
      // Queued before anybody can see the end: after stop() the event is on its way.
      vm.callbacks().add(callback -> callback.onStopped(vm, why));
      lock.notifyAll();
    }
    vm.callbacks().send();
  }

  // ---- what can be asked

  /** Returns whether the run is not over. */
  boolean isRunning() {
    synchronized (lock) {
      return reason == null;
    }
  }

  /**
   * Returns the machine.
   *
   * @throws IllegalVmStateException if it is not made yet or over
   */
  Machine machine(String call) {
    synchronized (lock) {
      if (machine == null || !started || machineStopped != null) {
        throw new IllegalVmStateException(
            call
                + " needs RUNNING but VM '"
                + vm.getName()
                + (machineStopped == null && reason == null
                    ? "' is being started: not in running state until run() returns"
                    : "' has stopped: not in running state"));
      }
      return machine;
    }
  }

  Optional<StopReason> awaitEnded(Duration timeout) throws InterruptedException {
    awaitUntil(timeout, () -> reason != null);
    synchronized (lock) {
      return Optional.ofNullable(reason);
    }
  }

  boolean awaitReady(Duration timeout) throws InterruptedException {
    awaitUntil(timeout, () -> ready || reason != null);
    synchronized (lock) {
      return ready;
    }
  }

  private void awaitUntil(Duration timeout, BooleanSupplier condition) throws InterruptedException {
    long limit;
    try {
      limit = Math.max(0, timeout.toNanos());
    } catch (ArithmeticException e) {
      limit = Long.MAX_VALUE;
    }
    long start = System.nanoTime();
    synchronized (lock) {
      while (!condition.getAsBoolean()) {
        long left = limit - (System.nanoTime() - start);
        if (left <= 0) {
          return;
        }
        lock.wait(left / 1_000_000, (int) (left % 1_000_000));
      }
    }
  }

  Optional<Integer> exitCode() {
    synchronized (lock) {
      return Optional.ofNullable(exitCode);
    }
  }

  Optional<String> backend() {
    synchronized (lock) {
      return Optional.ofNullable(backend);
    }
  }

  BootTimeline timeline() {
    synchronized (lock) {
      return new BootTimeline(stages);
    }
  }
}
