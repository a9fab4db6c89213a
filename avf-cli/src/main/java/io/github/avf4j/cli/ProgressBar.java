package io.github.avf4j.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Shows on standard error how far long work is, where that is a terminal; says nothing otherwise,
 * and nothing about work of less than half a second.
 *
 * <p>Confined to one thread.
 */
public final class ProgressBar implements AutoCloseable {
  private static final long FIRST_NANOS = 500_000_000;
  private static final long NEXT_NANOS = 100_000_000;
  private static final int WIDTH = 30;
  private static final int PERCENT = 100;

  private final PrintWriter err;
  private final String what;
  private final boolean terminal;
  private long next = System.nanoTime() + FIRST_NANOS;
  private boolean shown;

  /** Makes a bar whose line begins with {@code what}. */
  public ProgressBar(PrintWriter err, String what) {
    this(err, what, isTerminal());
  }

  ProgressBar(PrintWriter err, String what, boolean terminal) {
    this.err = err;
    this.what = what;
    this.terminal = terminal;
  }

  /** Whether standard error is a terminal that can erase a line. */
  private static boolean isTerminal() {
    String type = System.getenv("TERM");
    if (type == null || type.equals("dumb")) {
      return false;
    }
    try {
      // The JDK's console answers for input and output, not for errors.
      String target = Files.readSymbolicLink(Path.of("/proc/self/fd/2")).toString();
      return target.startsWith("/dev/pts/") || target.startsWith("/dev/tty");
    } catch (IOException e) {
      return false;
    }
  }

  /** Says how far the work is; cheap enough for every few kilobytes. */
  public void at(long done, long total) {
    if (terminal && System.nanoTime() - next >= 0) {
      next = System.nanoTime() + NEXT_NANOS;
      show(done, total);
    }
  }

  void show(long done, long total) {
    double part = total <= 0 ? 1 : Math.min(1, (double) done / total);
    int full = (int) (part * WIDTH);
    err.printf(
        "\r%s [%s%s] %3d %%",
        what, "#".repeat(full), " ".repeat(WIDTH - full), (int) (part * PERCENT));
    err.flush();
    shown = true;
  }

  /** Erases the line. */
  @Override
  public void close() {
    if (shown) {
      err.print("\r\u001b[K");
      err.flush();
    }
  }
}
