package io.github.avf4j.attestation.avb;

import io.github.avf4j.attestation.ByteSlice;

/**
 * A partition that has a vbmeta image of its own, signed with a key that is named here.
 *
 * @param rollbackIndexLocation where its rollback index is stored, 1..31
 * @param partitionName without A/B suffix
 * @param publicKey the blob of the key
 * @param flags see {@link #DO_NOT_USE_AB}
 */
public record ChainPartitionDescriptor(
    long rollbackIndexLocation, String partitionName, ByteSlice publicKey, int flags)
    implements AvbDescriptor.OfPartition {
  /** The flag of a partition without A/B suffix; needs libavb 1.3. */
  public static final int DO_NOT_USE_AB = 1;

  static final long TAG = 4;
  private static final int FIXED = 92;

  static ChainPartitionDescriptor read(ByteSlice bytes) {
    DescriptorReader in = new DescriptorReader(bytes, FIXED);
    String name = in.text(in.u32(20));
    ByteSlice key = in.part(in.u32(24));
    in.end();
    if (in.u32(16) == 0) {
      throw new AvbException(
          AvbException.Kind.DESCRIPTOR_VALUE,
          "the rollback index location of a chained partition must not be 0",
          bytes.offset() + 16L);
    }
    return new ChainPartitionDescriptor(in.u32(16), name, key, in.bits32(28));
  }

  @Override
  public long tag() {
    return TAG;
  }

  @Override
  public int requiredMinor() {
    return (flags & DO_NOT_USE_AB) != 0 ? 3 : 0;
  }

  @Override
  public byte[] encode() {
    if (rollbackIndexLocation == 0) {
      throw new AvbException(
          AvbException.Kind.REQUEST,
          "the rollback index location of a chained partition must not be 0");
    }
    byte[] name = DescriptorWriter.utf8(partitionName);
    return new DescriptorWriter(TAG, FIXED, (long) name.length + publicKey.length())
        .u32(rollbackIndexLocation)
        .u32(name.length)
        .u32(publicKey.length())
        .u32(flags)
        .skip(60)
        .bytes(name)
        .bytes(publicKey)
        .done();
  }
}
