package io.github.avf4j.linux;

import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Consumer;

/**
 * One thread that waits for descriptors and runs their handlers, one at a time.
 *
 * <p>Eventfds are watched for edges: their counter is never read, which saves a system call for
 * each signal. A handler that throws ends neither the loop nor the other handlers; the failure goes
 * to the listener given at the start. Thread-safe.
 */
public final class EventLoop implements AutoCloseable {
  private final Epoll epoll = new Epoll();
  private final EventFd wakeup;
  private final Queue<Runnable> tasks = new ConcurrentLinkedQueue<>();
  private final Consumer<Throwable> failures;
  private final Map<Fd, Integer> tokens = new IdentityHashMap<>();
  private final List<Runnable> handlers = new ArrayList<>();
  private final Thread thread;
  private volatile Runnable[] table = {};
  private volatile boolean closing;

  /**
   * Makes a loop and starts its daemon thread.
   *
   * @param threadName the thread's name
   * @param failures hears, on the loop's thread, what handlers throw
   * @throws io.github.avf4j.HypervisorException if there are no descriptors left
   */
  public EventLoop(String threadName, Consumer<Throwable> failures) {
    this.failures = failures;
    EventFd eventFd = null;
    try {
      eventFd = EventFd.create();
      epoll.add(eventFd.fd(), true, -1);
      wakeup = eventFd;
      thread = new Thread(null, this::run, threadName, 512 << 10);
      thread.setDaemon(true);
      thread.start();
    } catch (Throwable t) {
      epoll.close();
      if (eventFd != null) {
        eventFd.close();
      }
      throw t;
    }
  }

  /**
   * Runs {@code handler} on the loop's thread after each signal; several signals may be one run.
   */
  public void onSignal(EventFd eventFd, Runnable handler) {
    add(eventFd.fd(), true, handler);
  }

  /**
   * Runs {@code handler} on the loop's thread as long as {@code fd} is readable or at its end; the
   * handler must read, or {@link #remove} it.
   */
  public void onReadable(Fd fd, Runnable handler) {
    add(fd, false, handler);
  }

  private synchronized void add(Fd fd, boolean edge, Runnable handler) {
    int token = handlers.indexOf(null);
    if (token < 0) {
      token = handlers.size();
      handlers.add(handler);
    } else {
      handlers.set(token, handler);
    }
    table = handlers.toArray(new Runnable[0]);
    try {
      epoll.add(fd, edge, token);
    } catch (RuntimeException e) {
      forget(token);
      throw e;
    }
    tokens.put(fd, token);
  }

  /** Stops watching; a handler that runs at this moment is not waited for. */
  public synchronized void remove(Fd fd) {
    Integer token = tokens.remove(fd);
    if (token != null) {
      if (!fd.isClosed()) { // closing a descriptor has taken it out already
        epoll.remove(fd);
      }
      forget(token);
    }
  }

  private void forget(int token) {
    handlers.set(token, null);
    table = handlers.toArray(new Runnable[0]);
  }

  /** Runs {@code task} soon on the loop's thread; dropped when the loop is closed before. */
  public void execute(Runnable task) {
    tasks.add(task);
    wakeup.signal();
  }

  /** Returns whether the caller is the loop's thread. */
  public boolean isLoopThread() {
    return Thread.currentThread() == thread;
  }

  private void run() {
    while (!closing) {
      int n;
      try {
        n = epoll.await();
      } catch (RuntimeException e) {
        failures.accept(e);
        n = 0;
        pauseAfterFailure(); // tasks still run, and the loop does not spin
      }
      for (int i = 0; i < n && !closing; i++) {
        int token = (int) epoll.data(i);
        Runnable[] current = table;
        Runnable handler = token < 0 || token >= current.length ? null : current[token];
        if (handler != null) {
          guarded(handler);
        }
      }
      for (Runnable task = tasks.poll(); task != null && !closing; task = tasks.poll()) {
        guarded(task);
      }
    }
  }

  private static void pauseAfterFailure() {
    try {
      Thread.sleep(10);
    } catch (InterruptedException e) {
      // nobody interrupts this thread; if so, it goes on at once
    }
  }

  private void guarded(Runnable handler) {
    try {
      handler.run();
    } catch (Throwable t) {
      failures.accept(t);
    }
  }

  /**
   * Ends the loop: on return no handler runs any more and the thread has ended. Descriptors that
   * were watched stay open. Idempotent; on the loop's own thread it does not wait.
   */
  @Override
  public void close() {
    closing = true;
    wakeup.signal();
    if (isLoopThread()) {
      return;
    }
    Threads.joinUninterruptibly(thread);
    epoll.close();
    wakeup.close();
  }
}
