package io.github.avf4j.service;

import io.github.avf4j.VirtualMachineCallback;
import java.util.ArrayDeque;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Calls the user's callback on the user's executor, one call at a time and in order.
 *
 * <p>Events are queued with {@link #add} under the caller's lock, and sent with {@link #send}
 * without it: an executor may run the call at once on the caller's thread.
 *
 * <p>Thread-safe.
 */
final class Callbacks {
  private static final Logger log = LoggerFactory.getLogger(Callbacks.class);

  private record Target(Executor executor, VirtualMachineCallback callback) {}

  private record Event(Target target, Consumer<VirtualMachineCallback> call) {}

  private final ArrayDeque<Event> queue = new ArrayDeque<>();
  private @Nullable Target target;
  private boolean busy;

  synchronized void set(Executor executor, VirtualMachineCallback callback) {
    target = new Target(executor, callback);
  }

  synchronized void clear() {
    target = null;
  }

  /** Queues an event for the callback that is set now; without one it is lost. */
  synchronized void add(Consumer<VirtualMachineCallback> call) {
    if (target != null) {
      queue.add(new Event(target, call));
    }
  }

  /** Has the queued events called, unless that is going on already. */
  void send() {
    Executor executor;
    synchronized (this) {
      Event head = queue.peek();
      if (busy || head == null) {
        return;
      }
      busy = true;
      executor = head.target().executor();
    }
    submit(executor);
  }

  private void submit(Executor executor) {
    try {
      executor.execute(() -> callAll(executor));
    } catch (RuntimeException | Error e) {
      synchronized (this) {
        log.warn("{} events are lost: the callback's executor took no task", queue.size(), e);
        queue.clear();
        busy = false;
      }
    }
  }

  /** Calls all that belongs to one executor; what follows for another goes there. */
  private void callAll(Executor executor) {
    while (true) {
      Event event;
      synchronized (this) {
        event = queue.peek();
        if (event == null) {
          busy = false;
          return;
        }
        if (event.target().executor() != executor) {
          break;
        }
        queue.remove();
      }
      try {
        event.call().accept(event.target().callback());
      } catch (RuntimeException | Error e) {
        log.warn("a callback failed", e);
      }
    }
    Executor next;
    synchronized (this) {
      next = queue.element().target().executor();
    }
    submit(next);
  }
}
