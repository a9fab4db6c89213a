package io.github.avf4j.microdroid.disk;

import io.github.avf4j.microdroid.image.ImageException;
import io.github.avf4j.microdroid.image.ImageFormat;
import io.github.avf4j.microdroid.image.ImageView;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * The first 28 bytes of a sparse image. Immutable and thread-safe.
 *
 * @param headerSize the bytes before the first chunk, at least 28
 * @param chunkHeaderSize the bytes of the header of each chunk, at least 12
 * @param blockSize a multiple of 4, at most 64 MiB
 * @param totalBlocks of the content
 * @param totalChunks in the file
 * @param checksum CRC-32 of the content; 0 if there is none
 */
public record SparseHeader(
    int headerSize,
    int chunkHeaderSize,
    int blockSize,
    long totalBlocks,
    long totalChunks,
    int checksum) {
  /** The length of a header in bytes. */
  public static final int SIZE = 28;

  static final int CHUNK_SIZE = 12;
  static final int RAW = 0xcac1;
  static final int FILL = 0xcac2;
  static final int DONT_CARE = 0xcac3;
  static final int CRC32 = 0xcac4;

  private static final int MAGIC = 0xed26ff3a;
  private static final int MAX_BLOCK = 64 << 20;
  private static final long MAX_CHUNKS = 2 << 20;

  /** Where a chunk's data is, and which blocks it makes. */
  record Chunk(int type, long headerAt, long dataAt, long firstBlock, long blocks) {}

  /** Sees every chunk in order. */
  @FunctionalInterface
  interface ChunkVisitor {
    void chunk(Chunk chunk) throws IOException;
  }

  static SparseHeader read(ImageView in) throws IOException {
    ByteBuffer header = in.read(0, SIZE, "the header");
    if (header.getInt(0) != MAGIC) {
      throw in.refused("the magic is another", 0);
    }
    if (header.getShort(4) != 1) {
      throw in.refused(
          "the major version must be 1 but is " + Short.toUnsignedInt(header.getShort(4)), 4);
    }
    int headerSize = Short.toUnsignedInt(header.getShort(8));
    int chunkHeaderSize = Short.toUnsignedInt(header.getShort(10));
    if (headerSize < SIZE || chunkHeaderSize < CHUNK_SIZE) {
      throw in.refused(
          "headers have at least 28 and 12 bytes but %d and %d are given"
              .formatted(headerSize, chunkHeaderSize),
          8);
    }
    long blockSize = Integer.toUnsignedLong(header.getInt(12));
    if (blockSize == 0 || blockSize % 4 != 0 || blockSize > MAX_BLOCK) {
      throw in.refused(
          "the block size must be a multiple of 4 up to 64 MiB but is " + blockSize, 12);
    }
    long chunks = Integer.toUnsignedLong(header.getInt(20));
    if (chunks > MAX_CHUNKS) {
      throw in.refused(
          "at most %d chunks are read but there are %d".formatted(MAX_CHUNKS, chunks), 20);
    }
    return new SparseHeader(
        headerSize,
        chunkHeaderSize,
        (int) blockSize,
        Integer.toUnsignedLong(header.getInt(16)),
        chunks,
        header.getInt(24));
  }

  byte[] encode() {
    return ByteBuffer.allocate(SIZE)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putInt(MAGIC)
        .putShort((short) 1)
        .putShort((short) 0)
        .putShort((short) headerSize)
        .putShort((short) chunkHeaderSize)
        .putInt(blockSize)
        .putInt((int) totalBlocks)
        .putInt((int) totalChunks)
        .putInt(checksum)
        .array();
  }

  /** Checks and shows all chunks; returns where the last one ends in the file. */
  long walk(ImageView in, ChunkVisitor visitor) throws IOException {
    long at = headerSize;
    long block = 0;
    for (long i = 0; i < totalChunks; i++) {
      ByteBuffer header = in.read(at, CHUNK_SIZE, "the header of chunk " + i);
      int type = Short.toUnsignedInt(header.getShort(0));
      long blocks = Integer.toUnsignedLong(header.getInt(4));
      long total = Integer.toUnsignedLong(header.getInt(8));
      long data =
          switch (type) {
            case RAW -> blocks * blockSize;
            case FILL, CRC32 -> Integer.BYTES;
            case DONT_CARE -> 0;
            default ->
                throw in.refused("chunk %d has the unknown type 0x%x".formatted(i, type), at);
          };
      if (total != chunkHeaderSize + data) {
        throw in.refused(
            "chunk %d must have %d bytes but says %d".formatted(i, chunkHeaderSize + data, total),
            at + 8);
      }
      in.requireInside(at, total, "chunk " + i);
      long made = type == CRC32 ? 0 : blocks;
      if (made > totalBlocks - block) {
        throw in.refused(
            "chunk %d goes beyond the %d blocks of the content".formatted(i, totalBlocks), at + 4);
      }
      visitor.chunk(new Chunk(type, at, at + chunkHeaderSize, block, made));
      block += made;
      at += total;
    }
    if (block != totalBlocks) {
      throw in.refused(
          "the chunks make %d blocks but the header says %d".formatted(block, totalBlocks), 16);
    }
    return at;
  }

  /** Refuses what the header cannot hold. */
  static void requireEncodable(long blocks, int blockSize) {
    List<String> faults = new ArrayList<>();
    if (blockSize <= 0 || blockSize % 4 != 0 || blockSize > MAX_BLOCK) {
      faults.add("the block size must be a multiple of 4 up to 64 MiB but is " + blockSize);
    }
    if (blocks > 0xffff_ffffL) {
      faults.add("a sparse image has at most 2^32 - 1 blocks: take larger ones");
    }
    if (!faults.isEmpty()) {
      throw new ImageException(ImageFormat.SPARSE, String.join("; ", faults));
    }
  }
}
