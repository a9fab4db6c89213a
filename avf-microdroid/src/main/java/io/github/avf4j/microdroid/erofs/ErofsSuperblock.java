package io.github.avf4j.microdroid.erofs;

import io.github.avf4j.microdroid.image.ImageView;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.UUID;
import java.util.zip.CRC32C;

/**
 * The superblock, 128 bytes at byte 1024. Immutable and thread-safe.
 *
 * @param compatible bits of features that an old reader may ignore
 * @param incompatible bits of features that it may not
 * @param blockBits log2 of the block size, 9..16
 * @param rootNid the root folder's place, in units of 32 bytes
 * @param inodes how many there are
 * @param buildTime seconds since 1970; the time of compact inodes
 * @param blocks of the whole image
 * @param metaBlock where nids start
 * @param uuid of the file system
 * @param label at most 16 bytes
 * @param hasChecksum whether a checksum was found, and held
 */
public record ErofsSuperblock(
    int compatible,
    int incompatible,
    int blockBits,
    int rootNid,
    long inodes,
    long buildTime,
    long blocks,
    long metaBlock,
    UUID uuid,
    String label,
    boolean hasChecksum) {
  static final int OFFSET = 1024;
  static final int SIZE = 128;
  static final int CHECKSUM_FEATURE = 1;
  static final int LABEL = 16;

  private static final int MAGIC = 0xe0f5e1e2;
  private static final int KNOWN_INCOMPATIBLE = 0x7f;
  private static final int MIN_BLOCK_BITS = 9;
  private static final int MAX_BLOCK_BITS = 16;

  /** The block size in bytes. */
  public int blockSize() {
    return 1 << blockBits;
  }

  static ErofsSuperblock read(ImageView in) throws IOException {
    ByteBuffer block = in.read(OFFSET, SIZE, "the superblock");
    if (block.getInt(0) != MAGIC) {
      throw in.refused("the magic is another", OFFSET);
    }
    int blockBits = Byte.toUnsignedInt(block.get(12));
    if (blockBits < MIN_BLOCK_BITS || blockBits > MAX_BLOCK_BITS) {
      throw in.refused("the block size must be 2^9..2^16 but is 2^" + blockBits, OFFSET + 12);
    }
    int compatible = block.getInt(8);
    int incompatible = block.getInt(80);
    if ((incompatible & ~KNOWN_INCOMPATIBLE) != 0) {
      throw in.refused("there are unknown features: 0x%x".formatted(incompatible), OFFSET + 80);
    }
    boolean hasChecksum = (compatible & CHECKSUM_FEATURE) != 0;
    if (hasChecksum) {
      requireChecksum(in, blockBits, block.getInt(4));
    }
    long blocks = Integer.toUnsignedLong(block.getInt(36));
    if (blocks << blockBits > in.size()) {
      throw in.refused(
          "the image must have %d blocks of %d bytes but has %d bytes"
              .formatted(blocks, 1 << blockBits, in.size()),
          OFFSET + 36);
    }
    byte[] label = new byte[LABEL];
    block.get(64, label);
    ByteBuffer uuid = block.duplicate().order(ByteOrder.BIG_ENDIAN);
    return new ErofsSuperblock(
        compatible,
        incompatible,
        blockBits,
        Short.toUnsignedInt(block.getShort(14)),
        block.getLong(16),
        block.getLong(24),
        blocks,
        Integer.toUnsignedLong(block.getInt(40)),
        new UUID(uuid.getLong(48), uuid.getLong(56)),
        new String(label, StandardCharsets.UTF_8).replaceFirst("\0.*", ""),
        hasChecksum);
  }

  private static void requireChecksum(ImageView in, int blockBits, int stored) throws IOException {
    int blockSize = 1 << blockBits;
    int length = blockSize > OFFSET ? blockSize - OFFSET : blockSize;
    byte[] bytes = in.bytes(OFFSET, length, "the first block");
    ByteBuffer.wrap(bytes).putInt(4, 0);
    if (checksum(bytes) != stored) {
      throw in.refused("the checksum of the superblock is wrong", OFFSET + 4);
    }
  }

  /** The superblock without checksum. */
  byte[] encode() {
    ByteBuffer block = ByteBuffer.allocate(SIZE).order(ByteOrder.LITTLE_ENDIAN);
    block.putInt(MAGIC).putInt(0).putInt(compatible).put((byte) blockBits).put((byte) 0);
    block.putShort((short) rootNid).putLong(inodes).putLong(buildTime).putInt(0);
    block.putInt((int) blocks).putInt((int) metaBlock).putInt(0);
    block.order(ByteOrder.BIG_ENDIAN);
    block.putLong(uuid.getMostSignificantBits()).putLong(uuid.getLeastSignificantBits());
    block.put(label.getBytes(StandardCharsets.UTF_8));
    block.order(ByteOrder.LITTLE_ENDIAN).putInt(80, incompatible);
    return block.array();
  }

  /** CRC-32C as Linux computes it here: without the inversion at the end. */
  static int checksum(byte[] bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes);
    return ~(int) crc.getValue();
  }
}
