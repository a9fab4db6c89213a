package io.github.avf4j.attestation.avb;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.avb.AvbException.Kind;
import io.github.avf4j.attestation.verity.ImageSource;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * The last 64 bytes of a partition, which say where its vbmeta image is. In bytes, unsigned.
 *
 * @param originalImageSize the size before anything was appended
 * @param vbmetaOffset from the start of the partition
 * @param vbmetaSize the length of the vbmeta image
 */
public record AvbFooter(long originalImageSize, long vbmetaOffset, long vbmetaSize) {
  /** The length of a footer in bytes. */
  public static final int SIZE = 64;

  private static final int MAGIC = 0x41564266;

  /**
   * Reads 64 bytes.
   *
   * @throws AvbException of kind HEADER if the magic is another or the major version above 1
   */
  public static AvbFooter parse(ByteSlice bytes) {
    if (bytes.length() != SIZE) {
      throw new AvbException(
          Kind.HEADER, "a footer has 64 bytes but here are " + bytes.length(), bytes.offset());
    }
    ByteBuffer in = bytes.asByteBuffer();
    if (in.getInt(0) != MAGIC) {
      throw new AvbException(
          Kind.HEADER, "the magic of a footer is \"AVBf\" but here is another", bytes.offset());
    }
    if (Integer.toUnsignedLong(in.getInt(4)) > 1) {
      throw new AvbException(
          Kind.HEADER,
          "a footer of version " + Integer.toUnsignedString(in.getInt(4)) + " is unknown",
          bytes.offset() + 4L);
    }
    return new AvbFooter(in.getLong(12), in.getLong(20), in.getLong(28));
  }

  /** Reads the footer of an image; empty if it has none. */
  public static Optional<AvbFooter> find(ImageSource image) throws IOException {
    if (image.size() < SIZE) {
      return Optional.empty();
    }
    ByteSlice end = ByteSlice.takeOver(image.readRange(image.size() - SIZE, SIZE));
    try {
      return Optional.of(parse(end));
    } catch (AvbException e) {
      return Optional.empty();
    }
  }

  /** The footer as its 64 bytes. */
  public byte[] encode() {
    byte[] bytes = new byte[SIZE];
    ByteBuffer.wrap(bytes)
        .putInt(MAGIC)
        .putInt(1)
        .putInt(0)
        .putLong(originalImageSize)
        .putLong(vbmetaOffset)
        .putLong(vbmetaSize);
    return bytes;
  }
}
