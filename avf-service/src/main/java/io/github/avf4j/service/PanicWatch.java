package io.github.avf4j.service;

import java.util.function.Consumer;

/**
 * Finds a Linux kernel's panic in what it prints: the machine itself only shows a reset, or a guest
 * that does nothing for ever.
 *
 * <p>Confined to the thread that writes the serial output.
 */
final class PanicWatch implements Consumer<String> {
  private static final String PANIC = "Kernel panic - not syncing";
  private static final String END = "---[ end " + PANIC;

  private final Listener listener;
  private boolean seen;

  /** Hears of a panic; must not block. */
  interface Listener {
    /** The kernel panics; {@code message} is its line. */
    void panicked(String message);

    /** The kernel is done with its panic and does not reset the machine. */
    void halted();
  }

  PanicWatch(Listener listener) {
    this.listener = listener;
  }

  @Override
  public void accept(String line) {
    int at = line.indexOf(PANIC);
    if (at < 0) {
      return;
    }
    boolean isEnd = line.contains(END);
    if (!seen) {
      seen = true;
      String message = line.substring(at).strip();
      listener.panicked(isEnd ? message.replace(" ]---", "") : message);
    }
    if (isEnd) {
      listener.halted();
    }
  }
}
