package io.github.avf4j.attestation.avb;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.verity.MerkleParameters;
import io.github.avf4j.attestation.verity.VerityHash;

/**
 * The dm-verity tree of a partition. Sizes and offsets are in bytes, unsigned.
 *
 * @param dmVerityVersion 1
 * @param imageSize the bytes of data, a multiple of the data block size
 * @param treeOffset where the tree stands in the partition
 * @param treeSize 0 if the data is one block
 * @param dataBlockSize 4096, as a rule
 * @param hashBlockSize 4096, as a rule
 * @param fecNumRoots the parity bytes of each code word; 0 for no error correction
 * @param fecOffset where the parity stands in the partition
 * @param fecSize the bytes of parity
 * @param hashAlgorithm as {@code sha256}
 * @param partitionName without A/B suffix
 * @param salt any bytes
 * @param rootDigest empty for a persistent digest, which only a device knows
 * @param flags see {@link #DO_NOT_USE_AB} and {@link #CHECK_AT_MOST_ONCE}
 */
public record HashtreeDescriptor(
    long dmVerityVersion,
    long imageSize,
    long treeOffset,
    long treeSize,
    long dataBlockSize,
    long hashBlockSize,
    long fecNumRoots,
    long fecOffset,
    long fecSize,
    String hashAlgorithm,
    String partitionName,
    ByteSlice salt,
    ByteSlice rootDigest,
    int flags)
    implements AvbDescriptor.OfPartition {
  /** The flag of a partition without A/B suffix. */
  public static final int DO_NOT_USE_AB = 1;

  /** The flag by which a block is checked only when it is read for the first time. */
  public static final int CHECK_AT_MOST_ONCE = 2;

  static final long TAG = 1;
  private static final int FIXED = 180;

  static HashtreeDescriptor read(ByteSlice bytes) {
    DescriptorReader in = new DescriptorReader(bytes, FIXED);
    String name = in.text(in.u32(104));
    ByteSlice salt = in.part(in.u32(108));
    ByteSlice root = in.part(in.u32(112));
    in.end();
    return new HashtreeDescriptor(
        in.u32(16),
        in.u64(20),
        in.u64(28),
        in.u64(36),
        in.u32(44),
        in.u32(48),
        in.u32(52),
        in.u64(56),
        in.u64(64),
        in.paddedName(72, 32),
        name,
        salt,
        root,
        in.bits32(116));
  }

  /**
   * What the tree is computed with.
   *
   * @throws AvbException of kind DESCRIPTOR_VALUE if no dm-verity of version 1 is like that
   */
  public MerkleParameters merkleParameters() {
    VerityHash hash =
        VerityHash.named(hashAlgorithm)
            .orElseThrow(() -> unusable("the hash \"" + hashAlgorithm + "\" is unknown"));
    if (dmVerityVersion != 1) {
      throw unusable("dm-verity version " + dmVerityVersion + " is unknown");
    }
    if (!MerkleParameters.isBlockSize(dataBlockSize)
        || !MerkleParameters.isBlockSize(hashBlockSize)) {
      throw unusable("blocks of %d and %d bytes".formatted(dataBlockSize, hashBlockSize));
    }
    if (salt.length() > 256) {
      throw unusable("a salt of " + salt.length() + " bytes");
    }
    if (imageSize <= 0 || imageSize % dataBlockSize != 0) {
      throw unusable(
          "the image size %s is not a positive multiple of the block size"
              .formatted(Long.toUnsignedString(imageSize)));
    }
    return MerkleParameters.dmVerity(hash, (int) dataBlockSize, (int) hashBlockSize, salt);
  }

  private static AvbException unusable(String reason) {
    return new AvbException(AvbException.Kind.DESCRIPTOR_VALUE, "hashtree descriptor: " + reason);
  }

  @Override
  public long tag() {
    return TAG;
  }

  @Override
  public int requiredMinor() {
    return rootDigest.isEmpty() || (flags & (DO_NOT_USE_AB | CHECK_AT_MOST_ONCE)) != 0 ? 1 : 0;
  }

  @Override
  public byte[] encode() {
    byte[] name = DescriptorWriter.utf8(partitionName);
    return new DescriptorWriter(
            TAG, FIXED, (long) name.length + salt.length() + rootDigest.length())
        .u32(dmVerityVersion)
        .u64(imageSize)
        .u64(treeOffset)
        .u64(treeSize)
        .u32(dataBlockSize)
        .u32(hashBlockSize)
        .u32(fecNumRoots)
        .u64(fecOffset)
        .u64(fecSize)
        .hashName(hashAlgorithm)
        .u32(name.length)
        .u32(salt.length())
        .u32(rootDigest.length())
        .u32(flags)
        .skip(60)
        .bytes(name)
        .bytes(salt)
        .bytes(rootDigest)
        .done();
  }
}
