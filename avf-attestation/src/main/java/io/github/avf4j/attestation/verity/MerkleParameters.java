package io.github.avf4j.attestation.verity;

import io.github.avf4j.attestation.ByteSlice;

/**
 * What decides the bytes of a Merkle tree, besides the data.
 *
 * <p>Block sizes are powers of two in 512..65536; the salt has at most 256 bytes, as in the kernel.
 *
 * @param hash the hash function
 * @param dataBlockSize how many bytes of data a leaf hashes
 * @param hashBlockSize how many bytes a block of the tree has
 * @param prefix what stands before each block when it is hashed: the salt in its final form
 * @param slotSize the bytes that one digest takes in the tree, at least the digest's size
 */
public record MerkleParameters(
    VerityHash hash, int dataBlockSize, int hashBlockSize, ByteSlice prefix, int slotSize) {
  private static final int MIN_BLOCK = 512;
  private static final int MAX_BLOCK = 1 << 16;
  private static final int MAX_SALT = 256;

  /** Checks the ranges. */
  public MerkleParameters {
    requireBlockSize("dataBlockSize", dataBlockSize);
    requireBlockSize("hashBlockSize", hashBlockSize);
    if (prefix.length() > MAX_SALT) {
      throw new IllegalArgumentException(
          "the salt must have at most " + MAX_SALT + " bytes but has " + prefix.length());
    }
    if (slotSize < hash.digestSize() || slotSize > hashBlockSize / 2) {
      throw new IllegalArgumentException(
          "slotSize must be in %d..%d but was %d"
              .formatted(hash.digestSize(), hashBlockSize / 2, slotSize));
    }
  }

  /** dm-verity version 1: the salt as it is, each digest in a slot of a power of two. */
  public static MerkleParameters dmVerity(
      VerityHash hash, int dataBlockSize, int hashBlockSize, ByteSlice salt) {
    int slot = Integer.highestOneBit(hash.digestSize() * 2 - 1);
    return new MerkleParameters(hash, dataBlockSize, hashBlockSize, salt, slot);
  }

  /** fs-verity: a salt is filled with zeros to the hash's input block; digests without gaps. */
  public static MerkleParameters fsVerity(VerityHash hash, int blockSize, ByteSlice salt) {
    int unit = hash.compressionBlockSize();
    byte[] padded = new byte[(salt.length() + unit - 1) / unit * unit];
    salt.copyTo(padded, 0);
    return new MerkleParameters(
        hash, blockSize, blockSize, ByteSlice.takeOver(padded), hash.digestSize());
  }

  /** Whether dm-verity of the kernel and this class can take such a block. */
  public static boolean isBlockSize(long size) {
    return size >= MIN_BLOCK && size <= MAX_BLOCK && Long.bitCount(size) == 1;
  }

  /** How many digests a block of the tree holds. */
  int slotsPerBlock() {
    return hashBlockSize / slotSize;
  }

  private static void requireBlockSize(String name, int size) {
    if (!isBlockSize(size)) {
      throw new IllegalArgumentException(
          "%s must be a power of two in %d..%d but was %d"
              .formatted(name, MIN_BLOCK, MAX_BLOCK, size));
    }
  }
}
