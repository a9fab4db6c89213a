package io.github.avf4j.virtio.internal;

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
}
