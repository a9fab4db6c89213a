package io.github.avf4j.virtio.console;

/**
 * The size of a console's screen in characters. Thread-safe.
 *
 * @param columns 1 to 65535
 * @param rows 1 to 65535
 */
public record ConsoleSize(int columns, int rows) {
  private static final int MAX = 65535;

  /** Rejects a size that has no room in configuration space. */
  public ConsoleSize {
    if (columns < 1 || columns > MAX || rows < 1 || rows > MAX) {
      throw new IllegalArgumentException(
          "columns and rows must be in 1..65535 but were " + columns + " and " + rows);
    }
  }
}
