package io.github.avf4j.attestation.cbor;

/**
 * What a reader accepts at most.
 *
 * <p>A tree takes about 100 bytes of heap for each item besides the input, so {@code maxItems}
 * bounds the allocation.
 *
 * @param maxBytes the length of the whole input, in bytes
 * @param maxDepth how many arrays, maps and tags may stand in one another
 * @param maxItems the number of items in the tree, heads of arrays and maps included
 * @param keyOrder the order in which the keys of maps must stand
 */
public record CborLimits(int maxBytes, int maxDepth, int maxItems, KeyOrder keyOrder) {
  /** 1 MiB, 32 levels, 65536 items, keys in any order. */
  public static final CborLimits DEFAULT = new CborLimits(1 << 20, 32, 1 << 16, KeyOrder.ANY);

  /** Checks the ranges. */
  public CborLimits {
    if (maxBytes < 0 || maxDepth < 0 || maxDepth > 256 || maxItems < 0) {
      throw new IllegalArgumentException(
          "limits must not be negative and maxDepth at most 256, but were "
              + maxBytes
              + " bytes, depth "
              + maxDepth
              + ", "
              + maxItems
              + " items");
    }
  }

  /** The same limits with another bound on the input, in bytes. */
  public CborLimits withMaxBytes(int bytes) {
    return new CborLimits(bytes, maxDepth, maxItems, keyOrder);
  }

  /** The same limits with another bound on nesting. */
  public CborLimits withMaxDepth(int depth) {
    return new CborLimits(maxBytes, depth, maxItems, keyOrder);
  }

  /** The same limits with another bound on the number of items. */
  public CborLimits withMaxItems(int items) {
    return new CborLimits(maxBytes, maxDepth, items, keyOrder);
  }

  /** The same limits with another order of map keys. */
  public CborLimits withKeyOrder(KeyOrder order) {
    return new CborLimits(maxBytes, maxDepth, maxItems, order);
  }
}
