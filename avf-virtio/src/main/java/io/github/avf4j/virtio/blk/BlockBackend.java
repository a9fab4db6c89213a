package io.github.avf4j.virtio.blk;

import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * The host's side of a disk: a fixed number of bytes that can be read and written anywhere.
 *
 * <p>{@link BlkDevice} has checked every range against {@link #size()} before it calls. Calls may
 * block as long as the host's storage does. Called by one thread at a time.
 */
public interface BlockBackend extends AutoCloseable {
  /** Returns the size in bytes, a nonzero multiple of 512 that never changes. */
  long size();

  /**
   * Fills what remains of {@code target} with the bytes at {@code position}.
   *
   * @throws IOException if not all of them can be read
   */
  void read(ByteBuffer target, long position) throws IOException;

  /** Writes what remains of {@code source} at {@code position}. */
  void write(ByteBuffer source, long position) throws IOException;

  /** Returns when everything written so far outlives a loss of power. */
  void flush() throws IOException;

  /** Writes {@code length} zeros at {@code position}; may take storage away instead. */
  void writeZeroes(long position, long length) throws IOException;

  /** Says whether {@link #discard} gives storage back to the host. */
  default boolean canDiscard() {
    return false;
  }

  /**
   * Gives the storage behind {@code length} bytes at {@code position} back to the host; what the
   * guest reads there afterwards is zero or what was there.
   */
  default void discard(long position, long length) throws IOException {
    throw new UnsupportedOperationException("this disk cannot discard");
  }

  /** Gives everything back. Idempotent. */
  @Override
  void close();
}
