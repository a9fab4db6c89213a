package io.github.avf4j.qemu.process;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads what QEMU writes to its standard error, for messages, and looks for the sign of a triple
 * fault.
 *
 * <p>QEMU runs with {@code -d cpu_reset}, which writes {@code Triple fault} when a CPU gives up and
 * the CPU's registers at every reset; the registers are left out here. Keeps 16 lines of 512 bytes,
 * whatever comes. Thread-safe.
 */
final class ErrorOutput implements Runnable {
  private static final Logger LOG = LoggerFactory.getLogger(ErrorOutput.class);
  private static final int MAX_LINE = 512;
  private static final int MAX_LINES = 16;
  private static final String TRIPLE_FAULT = "Triple fault";
  private static final Pattern REGISTERS =
      Pattern.compile("CPU Reset \\(CPU \\d+\\)|[A-Z][A-Z0-9]{1,4} *= *[0-9a-f].*");

  private final InputStream stream;
  private final Deque<String> lines = new ArrayDeque<>();
  private boolean tripleFault;

  ErrorOutput(InputStream stream) {
    this.stream = stream;
  }

  /** Reads to the end of the stream. */
  @Override
  public void run() {
    byte[] line = new byte[MAX_LINE];
    int length = 0;
    byte[] buffer = new byte[4096];
    try (stream) {
      for (int n = stream.read(buffer); n >= 0; n = stream.read(buffer)) {
        for (int i = 0; i < n; i++) {
          if (buffer[i] == '\n') {
            add(new String(line, 0, length, StandardCharsets.UTF_8));
            length = 0;
          } else if (length < MAX_LINE) {
            line[length++] = buffer[i];
          }
        }
      }
    } catch (IOException e) {
      LOG.debug("QEMU's standard error ended: {}", e.toString());
    }
    if (length > 0) {
      add(new String(line, 0, length, StandardCharsets.UTF_8));
    }
  }

  private synchronized void add(String line) {
    if (line.equals(TRIPLE_FAULT)) {
      tripleFault = true;
    } else if (!line.isBlank() && !REGISTERS.matcher(line).matches()) {
      LOG.debug("QEMU: {}", line);
      lines.add(line.strip());
      if (lines.size() > MAX_LINES) {
        lines.remove();
      }
    }
  }

  /** Returns whether a CPU gave up. */
  synchronized boolean sawTripleFault() {
    return tripleFault;
  }

  /** Returns the last lines as one, empty if there were none. */
  synchronized String tail() {
    return String.join(" | ", lines);
  }
}
