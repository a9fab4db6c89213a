package io.github.avf4j.service;

import io.github.avf4j.microdroid.report.GuestText;
import io.github.avf4j.spi.ByteSink;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;

/**
 * Cuts what a guest prints into lines. A line longer than {@value #MAX_LINE} bytes is cut there and
 * its rest is dropped; control characters become spaces.
 *
 * <p>Thread-safe.
 */
final class LineSink implements ByteSink {
  static final int MAX_LINE = 512;

  private final Consumer<String> lines;
  private final byte[] line = new byte[MAX_LINE];
  private int length;

  LineSink(Consumer<String> lines) {
    this.lines = lines;
  }

  @Override
  public synchronized void write(byte[] bytes, int offset, int count) {
    for (int i = offset; i < offset + count; i++) {
      byte next = bytes[i];
      if (next == '\n') {
        end();
      } else if (length < MAX_LINE && next != '\r') {
        line[length++] = next;
      }
    }
  }

  private void end() {
    if (length > 0) {
      String text = GuestText.oneLine(new String(line, 0, length, StandardCharsets.UTF_8));
      length = 0;
      lines.accept(text);
    }
  }
}
