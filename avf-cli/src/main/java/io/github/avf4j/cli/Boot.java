package io.github.avf4j.cli;

import io.github.avf4j.StopReason;
import io.github.avf4j.VirtualMachine;
import io.github.avf4j.VirtualMachineConfig;
import io.github.avf4j.VirtualMachineManager;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * One machine from its start to its end, in a store that is removed again or in one to be kept.
 *
 * <p>A signal that ends the JVM stops the machine first; the last line is still written and the
 * store removed.
 */
final class Boot {
  private static final Duration FOR_EVER = Duration.ofDays(3650);
  private static final Duration SHUTDOWN_LIMIT = Duration.ofSeconds(5);
  private static final long SLOW_READER_MILLIS = 1000;

  private static final String NAME = "run";

  private final VirtualMachineConfig config;
  private final @Nullable Path store;
  private final @Nullable Duration timeout;
  private final Output output;
  private final PrintWriter err;
  private final CountDownLatch told = new CountDownLatch(1);
  private volatile boolean ending;
  private volatile @Nullable VirtualMachine machine;

  /**
   * Where the output of a machine goes that captures it.
   *
   * @param standard for what the payload prints, or for the serial console
   * @param isPayloads which of them
   * @param other a file for the one that is left; dropped without one
   * @param option what names this file
   */
  record Output(OutputStream standard, boolean isPayloads, @Nullable Path other, String option) {}

  /**
   * Prepares a machine.
   *
   * @param store a folder in which the machine is kept, or found; without one nothing is left
   * @param timeout how long it may run
   */
  Boot(
      VirtualMachineConfig config,
      @Nullable Path store,
      @Nullable Duration timeout,
      Output output,
      PrintWriter err) {
    this.config = config;
    this.store = store;
    this.timeout = timeout;
    this.output = output;
    this.err = err;
  }

  /** Runs the machine; returns the exit code. */
  int run() throws InterruptedException {
    CountDownLatch done = new CountDownLatch(1);
    Thread hook = new Thread(() -> endWith(done), "avf-signal");
    Runtime.getRuntime().addShutdownHook(hook);
    try {
      return runInStore();
    } finally {
      done.countDown();
      removeHook(hook);
    }
  }

  private int runInStore() throws InterruptedException {
    try (OutputStream other = openOther()) {
      if (store != null) {
        return runIn(store, other);
      }
      Path temporary = Files.createTempDirectory("avf-run-");
      try {
        return runIn(temporary, other);
      } finally {
        delete(temporary);
      }
    } catch (IOException | UncheckedIOException e) {
      throw new IllegalStateException("cannot write: " + e, e);
    }
  }

  private int runIn(Path folder, OutputStream other) throws InterruptedException {
    try (VirtualMachineManager manager = VirtualMachineManager.open(folder);
        VirtualMachine vm = manager.getOrCreate(NAME, config)) {
      if (!vm.getConfig().equals(config)) {
        throw new IllegalStateException(
            "the machine in "
                + folder
                + " was made with other options: give the same, or another folder");
      }
      machine = vm;
      return run(vm, other);
    }
  }

  private OutputStream openOther() {
    if (output.other() == null) {
      return OutputStream.nullOutputStream();
    }
    try {
      return Files.newOutputStream(output.other());
    } catch (IOException e) {
      throw new IllegalArgumentException(
          "cannot write "
              + output.option()
              + ' '
              + output.other()
              + " ("
              + e
              + "): give another file",
          e);
    }
  }

  private int run(VirtualMachine vm, OutputStream other) throws InterruptedException {
    List<Pump> pumps = List.of();
    if (config.outputCaptured()) {
      pumps =
          List.of(
              new Pump(
                  "serial", vm.getConsoleOutput(), output.isPayloads() ? other : output.standard()),
              new Pump(
                  "console", vm.getLogOutput(), output.isPayloads() ? output.standard() : other));
    }
    vm.setCallback(Runnable::run, new Reporter(err, told));
    long start = System.nanoTime();
    vm.run();
    vm.getBackend().ifPresent(backend -> err.println("backend: " + backend));
    err.flush();
    return await(vm, pumps, start);
  }

  private int await(VirtualMachine vm, List<Pump> pumps, long start) throws InterruptedException {
    Optional<StopReason> reason;
    if (timeout == null) {
      reason = vm.awaitStopped(FOR_EVER);
    } else {
      reason = vm.awaitStopped(timeout.minusNanos(System.nanoTime() - start));
    }
    boolean late = reason.isEmpty();
    vm.close();
    StopReason known = reason.or(() -> stopped(vm)).orElse(new StopReason.Killed());
    for (Pump pump : pumps) {
      drain(pump, late);
      pump.failure().ifPresent(e -> err.println("avf: output was lost: " + e.getMessage()));
    }
    if (vm.getDroppedOutput() > 0) {
      err.println(
          "avf: "
              + vm.getDroppedOutput()
              + " bytes of output were dropped: standard output or "
              + output.option()
              + " was too slow");
    }
    // What the payload did was told before; this is the last line.
    told.await(SHUTDOWN_LIMIT.toMillis(), TimeUnit.MILLISECONDS);
    // A machine may have ended by itself in the moment in which its time was up.
    late &= known instanceof StopReason.Killed;
    err.println("stopped: " + known + (late ? " time-out of " + text(timeout) + " passed" : ""));
    err.flush();
    return late ? ExitCode.TIMED_OUT : ExitCode.of(known);
  }

  /** Waits for a slow reader as long as it takes, unless the machine was ended from outside. */
  private void drain(Pump pump, boolean late) throws InterruptedException {
    while (!pump.await(SLOW_READER_MILLIS)) {
      if (ending || late) {
        return;
      }
    }
  }

  private static String text(@Nullable Duration timeout) {
    return timeout == null ? "" : timeout.toMillis() + " ms";
  }

  private static Optional<StopReason> stopped(VirtualMachine vm) {
    try {
      return vm.awaitStopped(Duration.ZERO);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Optional.empty();
    }
  }

  private void endWith(CountDownLatch done) {
    ending = true;
    // Where there is none yet, none comes to run: a JVM that is ending takes no new machine.
    VirtualMachine running = machine;
    if (running != null) {
      running.close();
    }
    try {
      done.await(SHUTDOWN_LIMIT.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void removeHook(Thread hook) {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // The JVM is ending.
    }
  }

  private static void delete(Path store) throws IOException {
    try (Stream<Path> files = Files.walk(store)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    }
  }
}
