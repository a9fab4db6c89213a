package io.github.avf4j.attestation.avb;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.avb.AvbException.Kind;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * The first 256 bytes of a vbmeta image, big-endian. Offsets count from the start of the block that
 * they point into; numbers that a header calls unsigned are kept as their bits.
 *
 * @param requiredMajor 1
 * @param requiredMinor the least minor version of libavb that understands the image
 * @param authenticationSize the bytes of the authentication block, a multiple of 64
 * @param auxiliarySize the bytes of the auxiliary block, a multiple of 64
 * @param algorithm the number of the algorithm, see {@link AvbAlgorithm}
 * @param hash the digest, in the authentication block
 * @param signature in the authentication block
 * @param publicKey in the auxiliary block
 * @param publicKeyMetadata in the auxiliary block; size 0 means none
 * @param descriptors in the auxiliary block
 * @param rollbackIndex unsigned
 * @param flags see {@link #HASHTREE_DISABLED} and {@link #VERIFICATION_DISABLED}
 * @param rollbackIndexLocation meaningful in a top-level image only
 * @param releaseString what made the image, at most 47 bytes
 */
public record VbmetaHeader(
    long requiredMajor,
    long requiredMinor,
    long authenticationSize,
    long auxiliarySize,
    long algorithm,
    Range hash,
    Range signature,
    Range publicKey,
    Range publicKeyMetadata,
    Range descriptors,
    long rollbackIndex,
    long flags,
    long rollbackIndexLocation,
    String releaseString) {
  /** The length of a header in bytes. */
  public static final int SIZE = 256;

  /** The flag that turns dm-verity off. */
  public static final int HASHTREE_DISABLED = 1;

  /** The flag that turns all checks of descriptors off. */
  public static final int VERIFICATION_DISABLED = 2;

  static final int MAGIC = 0x41564230;
  private static final int SUPPORTED_MINOR = 3;
  private static final int RELEASE_AT = 128;
  private static final int RELEASE_SIZE = 48;

  /**
   * A part of a block.
   *
   * @param offset in bytes, unsigned
   * @param size in bytes, unsigned
   */
  public record Range(long offset, long size) {
    boolean isInside(long blockSize) {
      return offset >= 0 && size >= 0 && offset <= blockSize && size <= blockSize - offset;
    }

    ByteSlice of(ByteSlice block) {
      return block.slice((int) offset, (int) (offset + size));
    }
  }

  /**
   * Reads the fields and makes the checks of libavb, in its order.
   *
   * @param image a vbmeta image, and perhaps bytes after it
   * @throws AvbException of kind HEADER or VERSION
   */
  public static VbmetaHeader parse(ByteSlice image) {
    if (image.length() < SIZE) {
      throw fault("a vbmeta image has at least 256 bytes but here are " + image.length(), image, 0);
    }
    ByteBuffer in = image.slice(0, SIZE).asByteBuffer();
    if (in.getInt(0) != MAGIC) {
      throw fault("the magic of vbmeta is \"AVB0\" but here is another", image, 0);
    }
    VbmetaHeader header = decode(image, in);
    if (header.requiredMajor != 1 || header.requiredMinor > SUPPORTED_MINOR) {
      throw new AvbException(
          Kind.VERSION,
          "libavb %d.%d is required but this is 1.%d"
              .formatted(header.requiredMajor, header.requiredMinor, SUPPORTED_MINOR),
          image.offset() + 4L);
    }
    header.checkRanges(image);
    return header;
  }

  private static VbmetaHeader decode(ByteSlice image, ByteBuffer in) {
    return new VbmetaHeader(
        u32(in, 4),
        u32(in, 8),
        in.getLong(12),
        in.getLong(20),
        u32(in, 28),
        range(in, 32),
        range(in, 48),
        range(in, 64),
        range(in, 80),
        range(in, 96),
        in.getLong(112),
        u32(in, 120),
        u32(in, 124),
        release(image));
  }

  private void checkRanges(ByteSlice image) {
    if (image.at(RELEASE_AT + RELEASE_SIZE - 1) != 0) {
      throw fault("the release string does not end", image, RELEASE_AT);
    }
    requireBlock("authentication", authenticationSize, image, 12);
    requireBlock("auxiliary", auxiliarySize, image, 20);
    if (SIZE + authenticationSize + auxiliarySize > image.length()) {
      throw fault(
          "the header announces %d bytes but here are %d"
              .formatted(SIZE + authenticationSize + auxiliarySize, image.length()),
          image,
          12);
    }
    requireInside("hash", hash, authenticationSize, image, 32);
    requireInside("signature", signature, authenticationSize, image, 48);
    requireInside("public key", publicKey, auxiliarySize, image, 64);
    requireInside("public key metadata", publicKeyMetadata, auxiliarySize, image, 80);
  }

  /** The length of the whole image in bytes. */
  public int imageSize() {
    return (int) (SIZE + authenticationSize + auxiliarySize);
  }

  /** The header as its 256 bytes. */
  byte[] encode() {
    byte[] bytes = new byte[SIZE];
    ByteBuffer out = ByteBuffer.wrap(bytes);
    out.putInt(MAGIC).putInt((int) requiredMajor).putInt((int) requiredMinor);
    out.putLong(authenticationSize).putLong(auxiliarySize).putInt((int) algorithm);
    for (Range range : new Range[] {hash, signature, publicKey, publicKeyMetadata, descriptors}) {
      out.putLong(range.offset).putLong(range.size);
    }
    out.putLong(rollbackIndex).putInt((int) flags).putInt((int) rollbackIndexLocation);
    byte[] release = releaseString.getBytes(StandardCharsets.UTF_8);
    out.put(release, 0, Math.min(release.length, RELEASE_SIZE - 1));
    return bytes;
  }

  private static String release(ByteSlice image) {
    int end = RELEASE_AT;
    while (end < RELEASE_AT + RELEASE_SIZE && image.at(end) != 0) {
      end++;
    }
    return new String(image.slice(RELEASE_AT, end).toByteArray(), StandardCharsets.UTF_8);
  }

  private static void requireBlock(String name, long size, ByteSlice image, int at) {
    if (size < 0 || size % 64 != 0) {
      throw fault(
          "the size of the " + name + " block must be a multiple of 64 but is " + size, image, at);
    }
    if (size > image.length()) {
      throw fault(
          "the %s block has %s bytes but the image %d"
              .formatted(name, Long.toUnsignedString(size), image.length()),
          image,
          at);
    }
  }

  private static void requireInside(
      String name, Range range, long blockSize, ByteSlice image, int at) {
    if (!range.isInside(blockSize)) {
      throw fault("the " + name + " is not inside its block", image, at);
    }
  }

  private static Range range(ByteBuffer in, int at) {
    return new Range(in.getLong(at), in.getLong(at + 8));
  }

  private static long u32(ByteBuffer in, int at) {
    return Integer.toUnsignedLong(in.getInt(at));
  }

  private static AvbException fault(String reason, ByteSlice image, int at) {
    return new AvbException(Kind.HEADER, reason, image.offset() + (long) at);
  }
}
