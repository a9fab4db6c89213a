package io.github.avf4j.internal;

import io.github.avf4j.DataSize;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Checks of configuration types; the message quotes field, constraint and value. */
public final class Require {
  private Require() {}

  /** Throws {@link IllegalStateException} with the formatted message unless {@code condition}. */
  public static void state(boolean condition, String format, @Nullable Object... arguments) {
    if (!condition) {
      throw new IllegalStateException(String.format(Locale.ROOT, format, arguments));
    }
  }

  /**
   * Rejects memory of less than {@code least}, or that is not made of whole pages of 4096 bytes.
   */
  public static void memory(DataSize memory, DataSize least) {
    state(memory.compareTo(least) >= 0, "memory must be at least %s but was %s", least, memory);
    state(
        memory.bytes() % 4096 == 0,
        "memory must be a multiple of 4096 bytes but was %s bytes",
        memory.bytes());
  }

  /** Rejects a kernel command line of more than {@code most} bytes, or that is not plain ASCII. */
  public static void commandLine(String text, int most) {
    state(
        text.length() <= most
            && StandardCharsets.US_ASCII.newEncoder().canEncode(text)
            && text.indexOf('\0') < 0,
        "commandLine must be at most %s bytes of ASCII without NUL but was \"%s\"",
        most,
        text);
  }

  /** Rejects more than {@code most} disks. */
  public static void disks(List<?> disks, int most) {
    state(disks.size() <= most, "disks must be at most %s but were %s", most, disks.size());
  }
}
