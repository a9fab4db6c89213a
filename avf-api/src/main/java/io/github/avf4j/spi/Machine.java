package io.github.avf4j.spi;

import java.io.OutputStream;

/**
 * A machine of a backend: made, started once, stopped, closed.
 *
 * <p>Thread-safe.
 */
public interface Machine extends AutoCloseable {
  /**
   * Lets the vCPUs run. Returns at once.
   *
   * @throws IllegalStateException if it was started or closed before
   */
  void start();

  /**
   * Ends the guest without asking it. Returns at once; the listener hears {@link
   * io.github.avf4j.StopReason.Killed} unless the machine had stopped by itself before. Legal at
   * any moment, idempotent.
   */
  void kill();

  /** Returns the host's end of the machine's vsock device. */
  VsockHost vsock();

  /**
   * Returns a stream to the guest's virtio console. A write blocks while the guest does not read
   * and throws {@link java.io.IOException} when the machine has stopped.
   */
  OutputStream consoleInput();

  /**
   * Kills the guest if it runs, waits until nothing of it runs any more, and gives back all memory,
   * descriptors, threads and processes. Idempotent. Must not be called from a listener.
   */
  @Override
  void close();
}
