package io.github.avf4j.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Optional;

/**
 * Copies a machine's output as it comes. When the target takes no more, the rest is read and
 * dropped, so that the guest goes on.
 */
final class Pump {
  private static final int BUFFER = 1 << 16;

  private final Thread thread;
  private volatile Optional<IOException> failure = Optional.empty();

  Pump(String job, InputStream from, OutputStream to) {
    thread = new Thread(() -> copy(from, to), "avf-" + job);
    thread.setDaemon(true);
    thread.start();
  }

  private void copy(InputStream from, OutputStream to) {
    byte[] buffer = new byte[BUFFER];
    boolean takes = true;
    try {
      int count;
      while ((count = from.read(buffer)) >= 0) {
        takes = takes && write(buffer, count, to);
      }
    } catch (IOException e) {
      // The stream was closed: nobody wants the rest.
    }
  }

  private boolean write(byte[] buffer, int count, OutputStream to) {
    try {
      to.write(buffer, 0, count);
      to.flush();
      return true;
    } catch (IOException e) {
      failure = Optional.of(e);
      return false;
    }
  }

  /** Returns why the target took no more, if it did not. */
  Optional<IOException> failure() {
    return failure;
  }

  /** Waits until all is copied, at most {@code millis}; returns whether it is. */
  boolean await(long millis) throws InterruptedException {
    thread.join(millis);
    return !thread.isAlive();
  }
}
