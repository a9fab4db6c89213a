package io.github.avf4j.cli.apk;

import io.github.avf4j.attestation.verity.ImageSource;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicLong;

/** A file whose reading is shown as a bar, where it is long and somebody watches. Thread-safe. */
final class Progress implements ImageSource, AutoCloseable {
  private static final long WORTHWHILE = 256L << 20;
  private static final int WIDTH = 40;
  private static final int STEPS = 100;

  private final ImageSource file;
  private final PrintWriter err;
  private final AtomicLong done = new AtomicLong();
  private final Object drawing = new Object();
  private long drawn;

  private Progress(ImageSource file, PrintWriter err) {
    this.file = file;
    this.err = err;
  }

  /** The file, with a bar if standard error is a terminal. */
  static ImageSource of(ImageSource file, PrintWriter err) {
    return file.size() >= WORTHWHILE && isTerminal() ? new Progress(file, err) : file;
  }

  /** Wipes the bar, if the file has one. */
  static void end(ImageSource file) {
    if (file instanceof Progress progress) {
      progress.close();
    }
  }

  private static boolean isTerminal() {
    try {
      String target = Files.readSymbolicLink(Path.of("/proc/self/fd/2")).toString();
      return target.startsWith("/dev/pts/") || target.startsWith("/dev/tty");
    } catch (IOException e) {
      return false;
    }
  }

  @Override
  public long size() {
    return file.size();
  }

  @Override
  public void read(long position, byte[] target, int offset, int length) throws IOException {
    file.read(position, target, offset, length);
    long step = Math.min(STEPS, done.addAndGet(length) * STEPS / file.size());
    synchronized (drawing) {
      if (step > drawn) {
        drawn = step;
        int bars = (int) (step * WIDTH / STEPS);
        err.print("\r[%s%s] %3d %%".formatted("#".repeat(bars), " ".repeat(WIDTH - bars), step));
        err.flush();
      }
    }
  }

  @Override
  public void close() {
    err.print("\r" + " ".repeat(WIDTH + 8) + "\r");
    err.flush();
  }
}
