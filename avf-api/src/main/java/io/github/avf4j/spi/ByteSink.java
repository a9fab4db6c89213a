package io.github.avf4j.spi;

/**
 * Takes what a guest prints. Called on a device or vCPU thread: must not block and must not throw;
 * what it cannot hold it drops.
 */
@FunctionalInterface
public interface ByteSink {
  /** Drops everything. */
  ByteSink DISCARD = (bytes, offset, length) -> {};

  /** Takes {@code length} bytes; the array belongs to the caller again after the call. */
  void write(byte[] bytes, int offset, int length);
}
