package io.github.avf4j.microdroid.apk;

import io.github.avf4j.attestation.ByteSlice;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The pairs of an APK signing block.
 *
 * @param pairs values by id, in the order of the file
 */
record SigningBlock(Map<Long, ByteSlice> pairs) {
  static final long V2 = 0x7109871aL;
  static final long V3 = 0xf05368c0L;
  static final long V31 = 0x1b93ad61L;
  private static final int FOOTER = 24;
  private static final int SIZE_FIELD = 8;
  private static final int MAX_PAIRS = 256;

  /** Parses the block from its first size field to its magic, which was checked. */
  static SigningBlock parse(ByteSlice block, long base) {
    long size = new LittleEndian(block, base, ApkError.SIGNING_BLOCK).u64("the first size");
    if (size != block.length() - SIZE_FIELD) {
      throw new ApkException(
          ApkError.SIGNING_BLOCK,
          "the first size is %s but the second is %d"
              .formatted(Long.toUnsignedString(size), block.length() - SIZE_FIELD),
          base + block.offset());
    }
    LittleEndian in =
        new LittleEndian(
            block.slice(SIZE_FIELD, block.length() - FOOTER), base, ApkError.SIGNING_BLOCK);
    Map<Long, ByteSlice> pairs = new LinkedHashMap<>();
    while (in.hasMore()) {
      long position = in.position();
      long length = in.u64("the length of a pair");
      if (length < 4 || length > in.left()) {
        throw new ApkException(
            ApkError.SIGNING_BLOCK,
            "a pair of %s bytes does not fit: %d are left"
                .formatted(Long.toUnsignedString(length), in.left()),
            position);
      }
      long id = in.u32("the id of a pair");
      if (pairs.put(id, in.take(length - 4, "the value of a pair")) != null) {
        throw new ApkException(
            ApkError.SIGNING_BLOCK, "the id 0x%08x stands there twice".formatted(id), position);
      }
      if (pairs.size() > MAX_PAIRS) {
        throw in.fail("more than " + MAX_PAIRS + " pairs");
      }
    }
    return new SigningBlock(pairs);
  }

  Optional<ByteSlice> value(long id) {
    return Optional.ofNullable(pairs.get(id));
  }
}
