package io.github.avf4j.internal;

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
