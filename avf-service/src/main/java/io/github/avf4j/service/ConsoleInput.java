package io.github.avf4j.service;

import io.github.avf4j.IllegalVmStateException;
import java.io.IOException;
import java.io.OutputStream;
import java.util.function.Supplier;

/**
 * A stream to the console of whichever run is current at each write.
 *
 * <p>Thread-safe if the console's own stream is.
 */
final class ConsoleInput extends OutputStream {
  private final Supplier<OutputStream> console;

  /** Makes a stream to what {@code console} gives; it throws when the machine does not run. */
  ConsoleInput(Supplier<OutputStream> console) {
    this.console = console;
  }

  @Override
  public void write(int value) throws IOException {
    write(new byte[] {(byte) value}, 0, 1);
  }

  @Override
  public void write(byte[] bytes, int offset, int length) throws IOException {
    target().write(bytes, offset, length);
  }

  @Override
  public void flush() throws IOException {
    target().flush();
  }

  private OutputStream target() throws IOException {
    try {
      return console.get();
    } catch (IllegalVmStateException e) {
      throw new IOException(e.getMessage(), e);
    }
  }
}
