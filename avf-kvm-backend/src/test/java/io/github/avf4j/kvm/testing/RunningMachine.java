package io.github.avf4j.kvm.testing;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.avf4j.Cid;
import io.github.avf4j.CpuTopology;
import io.github.avf4j.DataSize;
import io.github.avf4j.StopReason;
import io.github.avf4j.kvm.KvmMachine;
import io.github.avf4j.spi.MachineListener;
import io.github.avf4j.spi.MachineSpec;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;

/** A machine with what it printed and how it ended. Thread-safe. */
public final class RunningMachine implements AutoCloseable {
  /** As a command line: the serial port's sink throws. */
  public static final String FAILING_SINK = "failing sink";

  private final ByteArrayOutputStream console = new ByteArrayOutputStream();
  private final ByteArrayOutputStream serial = new ByteArrayOutputStream();
  private final ByteArrayOutputStream failure = new ByteArrayOutputStream();
  private final CompletableFuture<Long> entered = new CompletableFuture<>();
  private final CompletableFuture<StopReason> stopped = new CompletableFuture<>();
  private final AtomicInteger stops = new AtomicInteger();
  private final KvmMachine machine;

  private RunningMachine(MachineSpec.Builder builder) {
    boolean fail = builder.build().commandLine().equals(FAILING_SINK);
    MachineSpec spec =
        builder
            .consoleOutput(
                (bytes, offset, length) -> {
                  synchronized (console) {
                    console.write(bytes, offset, length);
                  }
                })
            .failureOutput(
                (bytes, offset, length) -> {
                  synchronized (failure) {
                    failure.write(bytes, offset, length);
                  }
                })
            .serialOutput(
                (bytes, offset, length) -> {
                  if (fail) {
                    throw new IllegalStateException("on purpose");
                  }
                  synchronized (serial) {
                    serial.write(bytes, offset, length);
                    serial.notifyAll();
                  }
                })
            .build();
    machine =
        KvmMachine.create(
            spec,
            new MachineListener() {
              @Override
              public void entered(long nanoTime) {
                entered.complete(nanoTime);
              }

              @Override
              public void stopped(StopReason reason) {
                stops.incrementAndGet();
                stopped.complete(reason);
              }
            });
  }

  /** Makes a machine of 2 MiB with one vCPU; the caller says what else. */
  public static RunningMachine create(UnaryOperator<MachineSpec.Builder> change) {
    return new RunningMachine(change.apply(spec()));
  }

  /** Returns what {@link #create} begins with: all that a machine needs but a kernel. */
  public static MachineSpec.Builder spec() {
    return MachineSpec.builder()
        .name("test")
        .cpuTopology(CpuTopology.oneCpu())
        .memory(DataSize.ofMebibytes(2))
        .commandLine("")
        .cid(new Cid(3));
  }

  /** Starts it and returns this. */
  public RunningMachine start() {
    machine.start();
    return this;
  }

  /** Returns the machine itself. */
  public KvmMachine machine() {
    return machine;
  }

  /** Waits for the end, at most a minute. */
  public StopReason awaitStop() throws Exception {
    return stopped.get(60, TimeUnit.SECONDS);
  }

  /**
   * Kills it, which may have powered itself off before, and waits at most a minute for its end,
   * which is told once.
   */
  public void killAndAwaitItsOnlyStop() throws Exception {
    machine.kill();
    assertThat(awaitStop()).isInstanceOfAny(StopReason.Killed.class, StopReason.Shutdown.class);
    assertThat(stops()).isEqualTo(1);
  }

  /** Waits for the first entry, at most a minute. */
  public long awaitEntry() throws Exception {
    return entered.get(60, TimeUnit.SECONDS);
  }

  /** Returns how often the end was told. */
  public int stops() {
    return stops.get();
  }

  /** Waits until {@code length} bytes were printed, at most a minute, and returns them. */
  public byte[] awaitSerial(int length) throws InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    synchronized (serial) {
      while (serial.size() < length) {
        long left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
        if (left <= 0) {
          throw new AssertionError("the guest printed only \"" + serial() + '"');
        }
        serial.wait(left);
      }
      return serial.toByteArray();
    }
  }

  /** Returns what was printed so far. */
  public String serial() {
    synchronized (serial) {
      return serial.toString(StandardCharsets.ISO_8859_1);
    }
  }

  /** Returns what was written to the second serial port so far. */
  public String failure() {
    synchronized (failure) {
      return failure.toString(StandardCharsets.ISO_8859_1);
    }
  }

  /** Returns what was written to the virtio console so far. */
  public String console() {
    synchronized (console) {
      return console.toString(StandardCharsets.ISO_8859_1);
    }
  }

  @Override
  public void close() {
    machine.close();
  }
}
