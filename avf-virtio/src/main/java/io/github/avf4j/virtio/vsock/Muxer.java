package io.github.avf4j.virtio.vsock;

import io.github.avf4j.virtio.InterruptLine;
import io.github.avf4j.virtio.queue.Virtqueue;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The lock of a device, and who works under it: the transport, and threads of the host's program.
 *
 * <p>Whoever takes the lock with {@link #enter} gives it back with {@link #exit}, which sends what
 * was noted to be sent and wakes who got something.
 */
final class Muxer {
  private static final boolean SEVERAL_CPUS = Runtime.getRuntime().availableProcessors() > 1;
  private static final int LOCK_SPINS = SEVERAL_CPUS ? 100 : 0;
  private static final long POLL_NANOS = 20_000;
  private static final int MAX_TURNS = 1000;
  private static final long HAND_OVER_NANOS = 20_000;

  private final ReentrantLock lock = new ReentrantLock();
  private final Refusals refusals = new Refusals();
  private final SendQueue senders = new SendQueue();
  private final Outbound outbound;
  private final Inbound inbound;
  private final Connections connections;

  /** Set before the lock is taken to end, so that serving a busy guest does not delay it. */
  private volatile boolean ending;

  Muxer(VsockConfig config) {
    connections = new Connections(config, this, refusals, senders);
    outbound = new Outbound(config.cid(), refusals, senders);
    inbound = new Inbound(config.cid(), connections, refusals, outbound);
  }

  void enter() {
    if (lock.tryLock()) {
      return;
    }
    // The lock is held for a few microseconds at most times, which is less than parking takes.
    for (int i = 0; i < LOCK_SPINS; i++) {
      Thread.onSpinWait();
      if (!lock.isLocked() && lock.tryLock()) {
        return;
      }
    }
    lock.lock();
  }

  void exit() {
    try {
      outbound.pump();
      inbound.finish();
      if (outbound.broken() || inbound.broken()) {
        connections.forgetAll("the guest's vsock driver broke its queues: reboot the guest");
      }
    } finally {
      lock.unlock();
    }
  }

  Condition newCondition() {
    return lock.newCondition();
  }

  /** Returns whether the machine has ended. */
  boolean ended() {
    return ending;
  }

  void activate(@Nullable Virtqueue rx, @Nullable Virtqueue tx, InterruptLine interrupts) {
    enter();
    try {
      if (!ending) {
        outbound.activate(rx, interrupts);
        inbound.activate(tx, interrupts);
      }
    } finally {
      exit();
    }
    serve();
  }

  /** The guest has made room: sends what waits for it. */
  void roomMade() {
    boolean more;
    enter();
    try {
      more = inbound.paused();
    } finally {
      exit();
    }
    if (more) {
      serve();
    }
  }

  /** Takes all packets of the guest. */
  void serve() {
    serve(Integer.MAX_VALUE);
  }

  /** Takes packets for some turns; returns whether there are more. */
  private boolean serve(int turns) {
    boolean more = true;
    for (int i = 0; more && !ending && i < turns; i++) {
      enter();
      try {
        more = inbound.serve();
      } finally {
        exit();
      }
      if (more && lock.hasQueuedThreads()) {
        // The lock is not fair; without a pause this thread would take it again at once.
        LockSupport.parkNanos(HAND_OVER_NANOS);
      }
    }
    return more && !ending;
  }

  /**
   * Waits until {@code waiter} is signalled; false if the thread was interrupted. The caller does
   * not have the lock.
   */
  boolean await(Waiter waiter) {
    if (SEVERAL_CPUS && !waiter.isDone() && waiter.pollingPays()) {
      poll(waiter);
    }
    return waiter.await();
  }

  /**
   * Does the work of the device's own thread for some microseconds, in the hope that the guest's
   * answer is among it: then no thread had to be woken.
   */
  private void poll(Waiter waiter) {
    long end = System.nanoTime() + POLL_NANOS;
    boolean polling;
    enter();
    try {
      polling = inbound.beginPolling();
    } finally {
      exit();
    }
    if (!polling) {
      return;
    }
    boolean more = false;
    while (polling) {
      Thread.onSpinWait();
      boolean late = waiter.isDone() || System.nanoTime() - end > 0;
      if (late) {
        enter();
      } else if (!lock.tryLock()) {
        continue;
      }
      try {
        inbound.help();
        outbound.pump();
        inbound.finish();
        if (late || waiter.isDone()) {
          polling = false;
          more = inbound.endPolling();
        }
      } finally {
        exit();
      }
    }
    waiter.polled(waiter.isDone());
    if (more && serve(MAX_TURNS)) {
      // The guest keeps this thread from its own work: others go on.
      Lingering.execute(this::serve);
    }
  }

  /** Lets the queues go; what the guest has sent before is still taken. */
  void reset() {
    enter();
    try {
      detach("the guest has reset its vsock device");
    } finally {
      exit();
    }
  }

  void end() {
    ending = true;
    enter();
    try {
      detach("the machine has stopped");
      connections.end("the machine has stopped");
    } finally {
      exit();
    }
  }

  private void detach(String why) {
    inbound.drainLast();
    inbound.finish();
    outbound.deactivate();
    inbound.deactivate();
    connections.forgetAll(why);
    refusals.clear();
    connections.trim();
  }

  // What follows needs the lock.

  Connections connections() {
    return connections;
  }

  /** Sends what can be sent now. */
  void pump() {
    outbound.pump();
  }

  /** Takes packets that have come, among which may be what the calling thread waits for. */
  void help() {
    inbound.help();
  }
}
