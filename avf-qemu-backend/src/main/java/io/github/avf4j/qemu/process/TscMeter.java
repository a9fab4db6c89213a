package io.github.avf4j.qemu.process;

import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/**
 * Measures how fast a {@link TscGuest}'s counter runs against {@link System#nanoTime()}.
 *
 * <p>A look at the counter shows its value of that moment or, when the guest was off its processor,
 * of a moment before. So the looks lie on or below a line, and the freshest ones lie on it.
 * Confined to one thread.
 */
final class TscMeter {
  /** A window this long makes an error of 10 µs one of 200 parts in a million. */
  private static final long WINDOW_NANOS = 50_000_000;

  /** How long to try on a busy host; the 32 bits of the counter wrap after 0.8 s at 5 GHz. */
  private static final long PATIENCE_NANOS = 600_000_000;

  private static final long FRESH_NANOS = 10_000;
  private static final long PAUSE_NANOS = 1_000_000;
  private static final int LOOKS_AT_ONCE = 2000;
  private static final int FRESH_CHANGES = 8;
  private static final VarHandle INT =
      MethodHandles.byteBufferViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

  /** A look at the counter: when, and the ticks since the first look. */
  record Look(long nanos, long ticks) {}

  private final MappedByteBuffer counter;
  private final List<Look> looks = new ArrayList<>();
  private long firstNanos;
  private int firstCounter;

  private TscMeter(MappedByteBuffer counter) {
    this.counter = counter;
  }

  /**
   * Measures the running guest for some 50 ms, on a busy host for up to 600 ms.
   *
   * @param memory the file that is the guest's memory
   * @return the frequency of its counter in kHz, 0 if the guest does not get to run
   */
  static long measure(Path memory) throws IOException {
    try (FileChannel file =
        FileChannel.open(memory, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      return new TscMeter(
              file.map(FileChannel.MapMode.READ_WRITE, TscGuest.COUNTER_ADDRESS, Integer.BYTES))
          .run();
    }
  }

  private long run() {
    firstNanos = System.nanoTime();
    firstCounter = (int) INT.getOpaque(counter, 0);
    while (firstCounter == 0 && System.nanoTime() - firstNanos < PATIENCE_NANOS) {
      LockSupport.parkNanos(PAUSE_NANOS);
      firstCounter = (int) INT.getOpaque(counter, 0);
    }
    firstNanos = System.nanoTime();
    long freshFrom = -1;
    long now = 0;
    while (now < PATIENCE_NANOS) {
      boolean fresh = look();
      now = System.nanoTime() - firstNanos;
      if (fresh && freshFrom < 0) {
        freshFrom = now;
      } else if (fresh && now - freshFrom > WINDOW_NANOS) {
        break;
      }
      LockSupport.parkNanos(PAUSE_NANOS); // lets the guest run where there is one processor
    }
    return kilohertz(looks);
  }

  /**
   * Looks until the counter has changed several times between looks in quick succession, which
   * shows that the guest runs just now. Once would not do: a guest that was off its processor
   * between reading and storing its counter stores an old value first.
   */
  private boolean look() {
    long before = System.nanoTime();
    int old = (int) INT.getOpaque(counter, 0);
    add(before, old);
    int changes = 0;
    for (int i = 0; i < LOOKS_AT_ONCE && changes < FRESH_CHANGES; i++) {
      int value = (int) INT.getOpaque(counter, 0);
      long after = System.nanoTime();
      if (value != old && after - before < FRESH_NANOS) {
        add(after, value);
        changes++;
      }
      old = value;
      before = after;
    }
    return changes == FRESH_CHANGES;
  }

  private void add(long nanos, int value) {
    looks.add(new Look(nanos - firstNanos, Integer.toUnsignedLong(value - firstCounter)));
  }

  /**
   * Returns the slope of the line that the freshest looks of both ends make, in kHz; 0 if there is
   * none.
   */
  static long kilohertz(List<Look> looks) {
    if (looks.size() < 2) {
      return 0;
    }
    Look first = looks.get(0);
    Look last = looks.get(looks.size() - 1);
    long middle = (first.nanos() + last.nanos()) / 2;
    double slope = slope(first, last);
    for (int round = 0; round < 4 && slope > 0; round++) {
      Look left = first;
      Look right = last;
      for (Look look : looks) {
        double height = look.ticks() - slope * look.nanos();
        if (look.nanos() <= middle && height > left.ticks() - slope * left.nanos()) {
          left = look;
        } else if (look.nanos() > middle && height > right.ticks() - slope * right.nanos()) {
          right = look;
        }
      }
      slope = slope(left, right);
    }
    return Math.max(0, Math.round(slope * 1e6));
  }

  private static double slope(Look left, Look right) {
    return right.nanos() == left.nanos()
        ? 0
        : (double) (right.ticks() - left.ticks()) / (right.nanos() - left.nanos());
  }
}
