package io.github.avf4j.kvm.vcpu;

import io.github.avf4j.StopReason;
import io.github.avf4j.linux.Threads;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The vCPUs of a machine and their common end: the first reason to stop wins, every vCPU is kicked
 * out of the guest, and the last one to leave tells it. Thread-safe.
 */
public final class VcpuGroup {
  private final AtomicReference<@Nullable StopReason> reason = new AtomicReference<>();
  private final AtomicInteger running = new AtomicInteger();
  private final LongConsumer entered;
  private final Consumer<StopReason> stopped;
  private volatile List<VcpuThread> threads = List.of();
  private volatile boolean ending;

  /**
   * Makes a group without vCPUs.
   *
   * @param entered hears {@link System#nanoTime()} when the first vCPU is about to enter
   * @param stopped hears once, on the last vCPU's thread, that no vCPU runs any more
   */
  public VcpuGroup(LongConsumer entered, Consumer<StopReason> stopped) {
    this.entered = entered;
    this.stopped = stopped;
  }

  /** Starts one thread for each vCPU. Must be called once at most. */
  public void start(List<VcpuThread> vcpus) {
    running.set(vcpus.size());
    threads = vcpus;
    int started = 0;
    try {
      for (VcpuThread vcpu : vcpus) {
        vcpu.start();
        started++;
      }
    } catch (Throwable t) { // no memory for another thread
      end(new StopReason.InfrastructureError("cannot start a vCPU thread: " + t));
      for (int i = started; i < vcpus.size(); i++) {
        left();
      }
    }
  }

  /**
   * Ends the machine if it has not ended yet: every vCPU leaves the guest soon. Returns at once;
   * any thread, any time.
   */
  public void end(StopReason why) {
    reason.compareAndSet(null, why);
    ending = true; // before the kicks: a vCPU that has been kicked looks at it
    for (VcpuThread vcpu : threads) {
      vcpu.kick();
    }
  }

  /** Waits until every vCPU thread has ended. */
  public void join() {
    for (VcpuThread vcpu : threads) {
      vcpu.retire();
    }
    for (VcpuThread vcpu : threads) {
      Threads.joinUninterruptibly(vcpu.thread());
    }
  }

  /** Returns whether the caller is one of the vCPU threads. */
  public boolean isVcpuThread() {
    Thread caller = Thread.currentThread();
    return threads.stream().anyMatch(vcpu -> vcpu.thread() == caller);
  }

  boolean ending() {
    return ending;
  }

  void firstEntry() {
    entered.accept(System.nanoTime());
  }

  /** A vCPU thread has left the guest for good. */
  void left() {
    if (running.decrementAndGet() == 0) {
      StopReason why = reason.get();
      stopped.accept(why == null ? new StopReason.Killed() : why);
    }
  }
}
