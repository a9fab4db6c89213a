package io.github.avf4j;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Checks of configuration types; the message quotes field, constraint and value. */
final class Require {
  private Require() {}

  static void state(boolean condition, String format, @Nullable Object... arguments) {
    if (!condition) {
      throw new IllegalStateException(String.format(Locale.ROOT, format, arguments));
    }
  }
}
