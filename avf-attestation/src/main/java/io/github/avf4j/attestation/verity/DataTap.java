package io.github.avf4j.attestation.verity;

/**
 * Sees the data while its tree is built, so that one reading serves another digest, too.
 *
 * <p>Pieces that lie in the same {@link #CHUNK} bytes of the data come in order, without gaps and
 * on one thread; pieces of different chunks come at the same time, in any order. All calls happen
 * before {@link MerkleTree#build} returns.
 */
@FunctionalInterface
public interface DataTap {
  /** Sees nothing. */
  DataTap NONE = (position, bytes, length) -> {};

  /** The size of a chunk: 1 MiB. Chunks start at multiples of it. */
  int CHUNK = 1 << 20;

  /**
   * Looks at a piece, which starts at index 0 of the array; the array is reused after the call.
   *
   * @param position where the piece stands in the data; it does not cross a chunk's end
   */
  void see(long position, byte[] bytes, int length);
}
