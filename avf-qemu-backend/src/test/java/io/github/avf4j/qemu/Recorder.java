package io.github.avf4j.qemu;

import io.github.avf4j.StopReason;
import io.github.avf4j.spi.ByteSink;
import io.github.avf4j.spi.MachineListener;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** Keeps what a machine tells and prints. Thread-safe. */
final class Recorder implements MachineListener, ByteSink {
  static final long LIMIT_SECONDS = 60;

  private final BlockingQueue<StopReason> stops = new LinkedBlockingQueue<>();
  private final BlockingQueue<Long> entries = new LinkedBlockingQueue<>();
  private final ByteArrayOutputStream output = new ByteArrayOutputStream();

  @Override
  public void entered(long nanoTime) {
    entries.add(nanoTime);
  }

  @Override
  public void stopped(StopReason reason) {
    stops.add(reason);
  }

  @Override
  public synchronized void write(byte[] bytes, int offset, int length) {
    output.write(bytes, offset, length);
    notifyAll();
  }

  /** Returns all that was printed. */
  synchronized String output() {
    return output.toString(StandardCharsets.ISO_8859_1);
  }

  /** Waits until {@code text} was printed. */
  synchronized void awaitOutput(String text) throws InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_SECONDS);
    while (!output().contains(text)) {
      long left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
      if (left <= 0) {
        throw new AssertionError("\"" + text + "\" was not printed but: " + output());
      }
      wait(left);
    }
  }

  /** Waits for the machine's end. */
  StopReason awaitStop() throws InterruptedException {
    StopReason reason = stops.poll(LIMIT_SECONDS, TimeUnit.SECONDS);
    if (reason == null) {
      throw new AssertionError("the machine did not stop; it printed: " + output());
    }
    return reason;
  }

  /** Waits for the first instruction. */
  void awaitEntry() throws InterruptedException {
    if (entries.poll(LIMIT_SECONDS, TimeUnit.SECONDS) == null) {
      throw new AssertionError("the machine was not entered");
    }
  }

  /** Returns how many ends were told and not awaited. */
  int stopsLeft() {
    return stops.size();
  }
}
