package io.github.avf4j.attestation.verity;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;

/**
 * Takes the blocks of a Merkle tree as they become complete, in no order but each once.
 *
 * <p>Called on the thread that builds the tree.
 */
@FunctionalInterface
public interface TreeSink {
  /** Takes no block: for callers who want the root hash alone. */
  TreeSink DISCARD = (position, bytes, offset, length) -> {};

  /**
   * Takes bytes of the tree; the array is reused after the call.
   *
   * @param position where they belong, in bytes from the start of the tree
   */
  void write(long position, byte[] bytes, int offset, int length) throws IOException;

  /** Puts the tree into an array, which must be as long as the tree. */
  static TreeSink into(byte[] tree) {
    return (position, bytes, offset, length) ->
        System.arraycopy(bytes, offset, tree, Math.toIntExact(position), length);
  }

  /** Puts the tree into a file from byte {@code start}; closing and syncing are the caller's. */
  static TreeSink into(FileChannel file, long start) {
    return (position, bytes, offset, length) -> {
      ByteBuffer buffer = ByteBuffer.wrap(bytes, offset, length);
      while (buffer.hasRemaining()) {
        file.write(buffer, start + position + (length - buffer.remaining()));
      }
    };
  }
}
