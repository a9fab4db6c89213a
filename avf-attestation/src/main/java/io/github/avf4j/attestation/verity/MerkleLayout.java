package io.github.avf4j.attestation.verity;

import java.util.ArrayList;
import java.util.List;

/**
 * Where the levels of a tree stand: the top level first, the digests of the data last.
 *
 * @param levels from the digests of the data (index 0) to the top; empty for at most one data block
 * @param treeSize the bytes of the tree, a multiple of the hash block size
 */
public record MerkleLayout(List<Level> levels, long treeSize) {
  /**
   * One level.
   *
   * @param offset in bytes from the start of the tree
   * @param blocks the number of hash blocks
   */
  public record Level(long offset, long blocks) {}

  /** Computes the layout for {@code dataSize} bytes of data. */
  public static MerkleLayout of(MerkleParameters parameters, long dataSize) {
    if (dataSize < 0) {
      throw new IllegalArgumentException("dataSize must not be negative but was " + dataSize);
    }
    List<Long> blocks = new ArrayList<>();
    long below = ceilDiv(dataSize, parameters.dataBlockSize());
    long sum = 0;
    while (below > 1) {
      below = ceilDiv(below, parameters.slotsPerBlock());
      sum += below;
      blocks.add(below);
    }
    long treeSize = Math.multiplyExact(sum, parameters.hashBlockSize());
    List<Level> levels = new ArrayList<>();
    long end = treeSize;
    for (long count : blocks) {
      end -= count * parameters.hashBlockSize();
      levels.add(new Level(end, count));
    }
    return new MerkleLayout(List.copyOf(levels), treeSize);
  }

  static long ceilDiv(long value, long unit) {
    return value / unit + (value % unit == 0 ? 0 : 1);
  }
}
