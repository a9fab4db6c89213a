package io.github.avf4j.service;

import io.github.avf4j.BootStage;
import io.github.avf4j.BootTimeline;
import io.github.avf4j.IllegalVmStateException;
import io.github.avf4j.StopReason;
import io.github.avf4j.VirtualMachineConfig;
import io.github.avf4j.microdroid.report.GuestReports;
import io.github.avf4j.spi.Machine;
import io.github.avf4j.spi.MachineListener;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What is known about a run: noted by whoever sees it, waited for by others.
 *
 * <p>Noting something wakes all who wait and never blocks. Each fact is noted once; a later one
 * does not replace it.
 *
 * <p>Thread-safe.
 */
final class RunState implements MachineListener, PanicWatch.Listener {
  private static final Logger log = LoggerFactory.getLogger(RunState.class);

  private final String name;
  private final VirtualMachineConfig config;
  private final long calledAt = System.nanoTime();

  // All below is guarded by this.
  private final EnumMap<BootStage, Duration> stages = new EnumMap<>(BootStage.class);
  private final Deadlines deadlines;
  private @Nullable Machine machine;
  private @Nullable String backend;
  private boolean started;
  private @Nullable Integer exitCode;
  private GuestReports.@Nullable Failure failure;
  private @Nullable String panic;
  private @Nullable String rebootReason;
  private @Nullable StopReason killedFor;
  private @Nullable StopReason machineStopped;
  private @Nullable StopReason reason;

  RunState(String name, VirtualMachineConfig config) {
    this.name = name;
    this.config = config;
    this.deadlines = new Deadlines(config.bootTimeout());
    stages.put(BootStage.CALLED, Duration.ZERO);
  }

  private void mark(BootStage stage, long nanoTime) {
    stages.putIfAbsent(stage, Duration.ofNanos(nanoTime - calledAt));
    notifyAll();
  }

  // ---- from the thread that runs the machine

  /** The machine is made. Returns false if it was killed meanwhile and must not be started. */
  synchronized boolean made(Machine made, String choice) {
    mark(BootStage.VMM_READY, System.nanoTime());
    machine = made;
    backend = choice;
    return killedFor == null;
  }

  /** The machine is started. Returns false if it was killed meanwhile: the caller kills it. */
  synchronized boolean started() {
    started = true;
    long now = System.nanoTime();
    // The machine's threads run already, and may have been quicker than this one.
    if (!stages.containsKey(BootStage.KERNEL_ENTERED)) {
      deadlines.awaitEntry(now);
    }
    if (config.payload().isPresent() && !stages.containsKey(BootStage.PAYLOAD_STARTED)) {
      deadlines.awaitPayload(now);
    }
    return killedFor == null;
  }

  /** Waits until the kernel is entered or the run is over; the keeper bounds this. */
  void awaitEntered() {
    boolean interrupted = false;
    synchronized (this) {
      while (!stages.containsKey(BootStage.KERNEL_ENTERED) && reason == null) {
        try {
          wait();
        } catch (InterruptedException e) {
          // Whoever interrupts finds the machine running.
          interrupted = true;
        }
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  // ---- from the machine, its output and its guest

  @Override
  public synchronized void entered(long nanoTime) {
    mark(BootStage.KERNEL_ENTERED, nanoTime);
    deadlines.entered();
  }

  @Override
  public synchronized void stopped(StopReason machineReason) {
    if (machineStopped == null) {
      machineStopped = machineReason;
      mark(BootStage.STOPPED, System.nanoTime());
    }
  }

  @Override
  public synchronized void panicked(String message) {
    if (panic == null) {
      panic = message;
    }
  }

  /** The firmware has said why it resets the machine; {@code line} may be anything. */
  synchronized void firmwareReset(String line) {
    if (rebootReason == null && StopReasons.isRebootReason(line)) {
      rebootReason = line;
    }
  }

  @Override
  public synchronized void halted() {
    deadlines.awaitReset(System.nanoTime());
    notifyAll();
  }

  /** Notes a report; {@code told} runs under the lock unless the run is over already. */
  synchronized void reported(GuestReports.Report report, Runnable told) {
    if (reason != null) {
      return;
    }
    long now = System.nanoTime();
    if (report instanceof GuestReports.Hello) {
      mark(BootStage.INIT, now);
    } else if (report instanceof GuestReports.Step step) {
      mark(step.stage(), now);
    } else if (report instanceof GuestReports.PayloadStarted) {
      mark(BootStage.PAYLOAD_STARTED, now);
      deadlines.payloadKnown();
    } else if (report instanceof GuestReports.PayloadReady) {
      mark(BootStage.PAYLOAD_READY, now);
    } else if (report instanceof GuestReports.PayloadFinished finished) {
      mark(BootStage.PAYLOAD_FINISHED, now);
      exitCode = finished.exitCode();
    } else if (report instanceof GuestReports.Failure failed) {
      failure = failed;
      deadlines.payloadKnown();
    }
    told.run();
  }

  // ---- the end

  /** Notes why the host ends the run. Returns the machine to kill, empty if there is none yet. */
  synchronized Optional<Machine> kill(StopReason why) {
    if (killedFor == null) {
      killedFor = why;
    }
    deadlines.awaitEnd(System.nanoTime());
    notifyAll();
    return started && reason == null ? Optional.ofNullable(machine) : Optional.empty();
  }

  /**
   * Waits until the machine has stopped, or does not stop though it was killed, or must be killed.
   *
   * @return why it must be killed, empty if there is nothing more to wait for
   */
  synchronized Optional<StopReason> awaitMachine() {
    while (machineStopped == null) {
      long now = System.nanoTime();
      if (deadlines.isEndOverdue(now)) {
        log.warn("{}: the machine did not stop in {}", name, Deadlines.KILL_LIMIT);
        break;
      }
      if (killedFor == null) {
        Optional<StopReason> late = deadlines.late(now, panic);
        if (late.isPresent()) {
          return late;
        }
      }
      try {
        waitFor(deadlines.nanosToNext(now));
      } catch (InterruptedException e) {
        // The keeper thread is nobody's to interrupt, and the machine must be waited for.
        log.debug("{}: interrupted", name);
      }
    }
    return Optional.empty();
  }

  /** Returns why the machine stopped, of all that is known. */
  synchronized StopReason decide() {
    StopReason byMachine = machineStopped == null ? new StopReason.Killed() : machineStopped;
    boolean silent = config.payload().isPresent() && !stages.containsKey(BootStage.INIT);
    return StopReasons.decide(byMachine, killedFor, failure, panic, rebootReason, silent);
  }

  /** The run is over; {@code told} runs before anybody can see it. */
  synchronized void end(StopReason why, Runnable told) {
    mark(BootStage.STOPPED, System.nanoTime());
    machine = null;
    reason = why;
    told.run();
    notifyAll();
  }

  // ---- what can be asked

  synchronized boolean isRunning() {
    return reason == null;
  }

  synchronized boolean isKilled() {
    return killedFor != null;
  }

  synchronized boolean isOver() {
    return machineStopped != null || reason != null;
  }

  /**
   * Returns the machine.
   *
   * @throws IllegalVmStateException if it is not started yet or over
   */
  synchronized Machine machine(String call) {
    if (machine == null || !started || machineStopped != null) {
      throw new IllegalVmStateException(
          call
              + " needs RUNNING but VM '"
              + name
              + (isOver()
                  ? "' has stopped: not in running state"
                  : "' is being started: not in running state until run() returns"));
    }
    return machine;
  }

  synchronized Optional<StopReason> awaitEnded(Duration timeout) throws InterruptedException {
    waitUntil(timeout, () -> reason != null);
    return Optional.ofNullable(reason);
  }

  synchronized boolean awaitReady(Duration timeout) throws InterruptedException {
    waitUntil(timeout, () -> isReady() || reason != null);
    return isReady();
  }

  private boolean isReady() {
    return stages.containsKey(BootStage.PAYLOAD_READY);
  }

  private void waitUntil(Duration timeout, BooleanSupplier condition) throws InterruptedException {
    Deadlines.Deadline deadline = new Deadlines.Deadline();
    deadline.set(System.nanoTime(), timeout);
    while (!condition.getAsBoolean()) {
      long left = deadline.nanosLeft(System.nanoTime());
      if (left <= 0) {
        return;
      }
      waitFor(left);
    }
  }

  private void waitFor(long nanos) throws InterruptedException {
    wait(nanos / 1_000_000, (int) (nanos % 1_000_000));
  }

  synchronized Optional<Integer> exitCode() {
    return Optional.ofNullable(exitCode);
  }

  synchronized Optional<String> backend() {
    return Optional.ofNullable(backend);
  }

  synchronized BootTimeline timeline() {
    return new BootTimeline(stages);
  }
}
