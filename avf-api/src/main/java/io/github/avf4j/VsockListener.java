package io.github.avf4j;

import java.time.Duration;
import java.util.Optional;

/**
 * Takes vsock connections that a guest makes to the host.
 *
 * <p>At most 128 connections wait to be accepted; the guest sees more refused.
 *
 * <p>Thread-safe.
 */
public interface VsockListener extends AutoCloseable {
  /** Returns the port on the host's side. */
  long port();

  /**
   * Waits for a connection.
   *
   * @return the connection; empty if {@code timeout} has passed or the listener is closed, also by
   *     the end of the machine
   * @throws InterruptedException if this thread was interrupted
   */
  Optional<VsockChannel> accept(Duration timeout) throws InterruptedException;

  /** Refuses further connections; those that were accepted live on. Idempotent. */
  @Override
  void close();
}
