package io.github.avf4j.binder;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/** The connections of a session, of which those for calls are lent. Thread-safe. */
final class ConnectionPool {
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition returned = lock.newCondition();
  private final List<RpcConnection> all = new ArrayList<>();
  private final Deque<RpcConnection> idle = new ArrayDeque<>();
  private @Nullable RpcSessionEndedException ended;

  /** Adds a connection, so that it is closed with the others. */
  void add(RpcConnection connection) {
    lock.lock();
    try {
      if (ended != null) {
        connection.close();
        throw again(ended);
      }
      all.add(connection);
    } finally {
      lock.unlock();
    }
  }

  /** Takes a connection, when there is one. */
  RpcConnection take(Duration limit) {
    long rest = limit.toNanos();
    lock.lock();
    try {
      while (true) {
        if (ended != null) {
          throw again(ended);
        }
        RpcConnection connection = idle.poll();
        if (connection != null) {
          return connection;
        }
        if (rest <= 0) {
          throw new RpcSessionEndedException(
              "no connection has become free within " + limit + ": close the session", null);
        }
        rest = returned.awaitNanos(rest);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new RpcSessionEndedException("interrupted before the call was sent", e);
    } finally {
      lock.unlock();
    }
  }

  /** Takes a connection if there is one now. */
  @Nullable RpcConnection poll() {
    lock.lock();
    try {
      return ended == null ? idle.poll() : null;
    } finally {
      lock.unlock();
    }
  }

  /** Gives a connection to those who call, for the first time or again. */
  void giveBack(RpcConnection connection) {
    lock.lock();
    try {
      idle.addFirst(connection);
      returned.signal();
    } finally {
      lock.unlock();
    }
  }

  /** Closes all connections, for the first reason that is given; returns whether this is it. */
  boolean end(String reason, @Nullable Throwable cause) {
    List<RpcConnection> open;
    lock.lock();
    try {
      if (ended != null) {
        return false;
      }
      ended = new RpcSessionEndedException(reason, cause);
      open = List.copyOf(all);
      returned.signalAll();
    } finally {
      lock.unlock();
    }
    open.forEach(RpcConnection::close);
    return true;
  }

  boolean isOpen() {
    return why() == null;
  }

  /** Why the session has ended, if it has. */
  @Nullable RpcSessionEndedException why() {
    lock.lock();
    try {
      return ended == null ? null : again(ended);
    } finally {
      lock.unlock();
    }
  }

  /** With the stack of whoever calls now. */
  private static RpcSessionEndedException again(RpcSessionEndedException ended) {
    return new RpcSessionEndedException(String.valueOf(ended.getMessage()), ended.getCause());
  }
}
