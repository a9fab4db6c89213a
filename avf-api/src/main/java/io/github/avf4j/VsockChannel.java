package io.github.avf4j;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;

/**
 * One vsock stream between the host and a guest.
 *
 * <p>Reads and writes block. {@link #read} returns at least one byte, or -1 after the guest has
 * closed its direction. {@link #write} returns after all bytes were taken. An interrupted thread
 * closes the channel, as {@link java.nio.channels.InterruptibleChannel} says. A reset by the guest,
 * or the end of the machine, makes both throw {@link IOException}.
 *
 * <p>Thread-safe: one thread may read while another writes.
 */
public interface VsockChannel extends ByteChannel {
  /** Returns the port on the guest's side. */
  long guestPort();

  /** Returns the port on the host's side. */
  long hostPort();

  /**
   * Tells the guest that no more bytes come; reading goes on. Idempotent, and does nothing when the
   * guest has closed its end.
   */
  void shutdownOutput() throws IOException;

  @Override
  int read(ByteBuffer target) throws IOException;

  @Override
  int write(ByteBuffer source) throws IOException;

  /** Closes both directions. Idempotent. Bytes already written still reach the guest. */
  @Override
  void close();
}
