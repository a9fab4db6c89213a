package io.github.avf4j.service;

import io.github.avf4j.ErrorCode;
import io.github.avf4j.StopReason;
import io.github.avf4j.VirtualMachineConfig;
import io.github.avf4j.VsockListener;
import io.github.avf4j.attestation.pvmfw.PvmfwException;
import io.github.avf4j.microdroid.report.GuestReports;
import io.github.avf4j.spi.Machine;
import io.github.avf4j.spi.MachineSpec;
import java.time.Duration;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One life of a machine, from {@code run()} until all that it used is given back.
 *
 * <p>The caller's thread makes and starts the machine. From then on the keeper thread alone
 * decides: it kills a machine that is late, waits for the end, closes everything, and says why it
 * ended.
 *
 * <p>Thread-safe.
 */
final class Run implements GuestLink.Listener {
  private static final Logger log = LoggerFactory.getLogger(Run.class);

  private final LocalVirtualMachine vm;
  private final VirtualMachineConfig config;
  private final RunState state;

  Run(LocalVirtualMachine vm, VirtualMachineConfig config) {
    this.vm = vm;
    this.config = config;
    this.state = new RunState(vm.getName(), config);
  }

  /** Returns what is known about this run. */
  RunState state() {
    return state;
  }

  /**
   * Makes and starts the machine; returns when its kernel is entered or it has ended. When this
   * throws, nothing of the run is left and nobody is told of it.
   */
  void start(Backends backends, MachineSpecs specs, Output output) {
    Optional<Machine> made = Optional.empty();
    Optional<MachineSpecs.Prepared> prepared = Optional.empty();
    try {
      RunningMachines.add(this);
      Backends.Choice choice = backends.choose(config.backend(), config.protectionLevel());
      try {
        prepared = Optional.of(specs.make(vm.getName(), vm.getCid(), config));
        MachineSpec spec = spec(prepared.get(), output);
        if (!state.isKilled()) {
          made = Optional.of(choice.backend().create(spec, state));
        }
      } finally {
        specs.made();
      }
      if (made.isPresent() && state.made(made.get(), choice.toString())) {
        launch(made.get(), prepared.get().boot());
      } else {
        prepared.get().close();
        made.ifPresent(Machine::close);
        end(new StopReason.Killed());
      }
    } catch (PvmfwException e) {
      end(StopReasons.firmware(e));
    } catch (RuntimeException | Error e) {
      prepared.ifPresent(MachineSpecs.Prepared::close);
      try {
        made.ifPresent(Machine::close);
      } catch (RuntimeException | Error second) {
        e.addSuppressed(second);
      }
      vm.ended(this);
      state.end(new StopReason.StartFailed(String.valueOf(e.getMessage())), () -> {});
      throw e;
    }
    state.awaitEntered();
  }

  private MachineSpec spec(MachineSpecs.Prepared prepared, Output output) {
    return prepared
        .spec()
        .serialOutput(output.serialSink(config, vm.getName(), new PanicWatch(state)))
        .consoleOutput(output.payloadSink(config, vm.getName()))
        .failureOutput(new LineSink(state::firmwareReset))
        .build();
  }

  private void launch(Machine machine, Optional<GuestBoot> boot) {
    Optional<VsockListener> reports =
        config.payload().map(payload -> machine.vsock().listen(vm.getCid().value()));
    Optional<Thread> link =
        reports.map(port -> thread("reports", new GuestLink(vm.getName(), port, this, boot)));
    Thread keeper = thread("keeper", () -> keep(machine));
    machine.start();
    if (!state.started()) {
      machine.kill();
    }
    link.ifPresent(Thread::start);
    keeper.start();
  }

  private Thread thread(String job, Runnable work) {
    Thread thread = new Thread(work, "avf-" + vm.getName() + '-' + job);
    thread.setDaemon(true);
    return thread;
  }

  private void keep(Machine machine) {
    try (machine) {
      Optional<StopReason> late;
      while ((late = state.awaitMachine()).isPresent()) {
        kill(late.get());
      }
    } catch (RuntimeException | Error e) {
      log.error("{}: the machine could not be stopped or closed", vm.getName(), e);
    }
    end(state.decide());
  }

  /** Ends the machine, also one that is still being made. The first reason counts. */
  void kill(StopReason why) {
    state.kill(why).ifPresent(Machine::kill);
  }

  private void end(StopReason why) {
    log.debug("{}: {}", vm.getName(), why);
    vm.ended(this);
    // Queued before anybody can see the end: after stop() the event is on its way.
    state.end(why, () -> vm.callbacks().add(callback -> callback.onStopped(vm, why)));
    vm.callbacks().send();
  }

  Optional<StopReason> awaitEnded(Duration timeout) throws InterruptedException {
    return state.awaitEnded(timeout);
  }

  // ---- from the guest

  @Override
  public void reported(GuestReports.Report report) {
    state.reported(report, () -> tell(report));
    vm.callbacks().send();
  }

  private void tell(GuestReports.Report report) {
    if (report instanceof GuestReports.PayloadStarted) {
      vm.callbacks().add(callback -> callback.onPayloadStarted(vm));
    } else if (report instanceof GuestReports.PayloadReady) {
      vm.callbacks().add(callback -> callback.onPayloadReady(vm));
    } else if (report instanceof GuestReports.PayloadFinished finished) {
      vm.callbacks().add(callback -> callback.onPayloadFinished(vm, finished.exitCode()));
    } else if (report instanceof GuestReports.Failure failed) {
      vm.callbacks().add(callback -> callback.onError(vm, failed.code(), failed.message()));
    }
  }

  @Override
  public void broken(String why) {
    GuestReports.Failure failed =
        new GuestReports.Failure(ErrorCode.UNKNOWN, "the guest broke the report protocol: " + why);
    reported(failed);
    kill(new StopReason.MicrodroidError(failed.code(), failed.message()));
  }

  @Override
  public boolean isOver() {
    return state.isOver();
  }
}
