package io.github.avf4j.microdroid.disk;

import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.microdroid.image.AtomicFile;
import io.github.avf4j.microdroid.image.Progress;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.CRC32;

/**
 * Writes Android sparse images: blocks of one repeated 32-bit word become fill chunks, all others
 * raw ones. Zeros are filled in, not left out, so that a device that is flashed gets them, too.
 *
 * <p>Confined to one thread.
 */
public final class SparseWriter {
  /** The usual block size in bytes. */
  public static final int BLOCK_SIZE = 4096;

  /** A raw chunk's length must fit into 32 bits; shorter ones cost nothing. */
  private static final int MAX_RAW = 64 << 20;

  private final int blockSize;
  private final boolean checksum;

  /** Makes a writer with blocks of 4096 bytes and no checksum. */
  public SparseWriter() {
    this(BLOCK_SIZE, false);
  }

  /**
   * Makes a writer.
   *
   * @param blockSize in bytes, a multiple of 4 up to 64 MiB
   * @param checksum whether the last chunk shall be the CRC-32 of the content
   */
  public SparseWriter(int blockSize, boolean checksum) {
    SparseHeader.requireEncodable(0, blockSize);
    this.blockSize = blockSize;
    this.checksum = checksum;
  }

  /**
   * Writes the content, filled up with zeros to a whole number of blocks.
   *
   * @throws io.github.avf4j.microdroid.image.ImageException if it has 2^32 blocks or more
   * @throws IOException if it cannot be read, or the file cannot be written
   */
  public SparseHeader write(ImageSource content, Path file, Progress progress) throws IOException {
    long blocks = content.size() / blockSize + (content.size() % blockSize == 0 ? 0 : 1);
    SparseHeader.requireEncodable(blocks, blockSize);
    try (AtomicFile out = AtomicFile.create(file)) {
      Chunks chunks = new Chunks(out);
      CRC32 crc = new CRC32();
      byte[] block = new byte[blockSize];
      for (long i = 0; i < blocks; i++) {
        long at = i * blockSize;
        int length = (int) Math.min(blockSize, content.size() - at);
        content.read(at, block, 0, length);
        Arrays.fill(block, length, blockSize, (byte) 0);
        if (checksum) {
          crc.update(block);
        }
        chunks.block(block);
        progress.at(at + length, content.size());
      }
      chunks.finish();
      if (checksum) {
        chunks.chunk(SparseHeader.CRC32, 0, word((int) crc.getValue()));
      }
      chunks.flush();
      SparseHeader header =
          new SparseHeader(
              SparseHeader.SIZE, SparseHeader.CHUNK_SIZE, blockSize, blocks, chunks.count, 0);
      out.write(0, ByteBuffer.wrap(header.encode()));
      out.commit();
      return header;
    }
  }

  private static byte[] word(int value) {
    return ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array();
  }

  /** Joins blocks to chunks. */
  private final class Chunks {
    private static final int BUFFER = 1 << 20;

    private final AtomicFile out;
    private final byte[] buffer = new byte[BUFFER];
    private int buffered;
    private long position = SparseHeader.SIZE;
    private long count;

    private int type;
    private long run;
    private int pattern;
    private long rawHeaderAt;

    Chunks(AtomicFile out) {
      this.out = out;
    }

    void block(byte[] block) throws IOException {
      // A block repeats its first word if it equals itself, shifted by a word.
      boolean fill =
          Arrays.equals(block, 0, blockSize - Integer.BYTES, block, Integer.BYTES, blockSize);
      if (fill) {
        int word = ByteBuffer.wrap(block).order(ByteOrder.LITTLE_ENDIAN).getInt();
        if (type != SparseHeader.FILL || word != pattern) {
          finish();
          type = SparseHeader.FILL;
          pattern = word;
        }
      } else {
        if (type != SparseHeader.RAW || (run + 1) * blockSize > MAX_RAW) {
          finish();
          type = SparseHeader.RAW;
          rawHeaderAt = position;
          append(new byte[SparseHeader.CHUNK_SIZE]);
        }
        append(block);
      }
      run++;
    }

    /** Ends the chunk that was begun. */
    void finish() throws IOException {
      if (type == SparseHeader.FILL) {
        chunk(SparseHeader.FILL, run, word(pattern));
      } else if (type == SparseHeader.RAW) {
        count++;
        flush();
        out.write(rawHeaderAt, ByteBuffer.wrap(header(SparseHeader.RAW, run, run * blockSize)));
      }
      type = 0;
      run = 0;
    }

    void chunk(int type, long blocks, byte[] data) throws IOException {
      count++;
      append(header(type, blocks, data.length));
      append(data);
    }

    private byte[] header(int type, long blocks, long dataLength) {
      return ByteBuffer.allocate(SparseHeader.CHUNK_SIZE)
          .order(ByteOrder.LITTLE_ENDIAN)
          .putShort((short) type)
          .putShort((short) 0)
          .putInt((int) blocks)
          .putInt((int) (SparseHeader.CHUNK_SIZE + dataLength))
          .array();
    }

    private void append(byte[] bytes) throws IOException {
      for (int done = 0; done < bytes.length; ) {
        if (buffered == buffer.length) {
          flush();
        }
        int piece = Math.min(bytes.length - done, buffer.length - buffered);
        System.arraycopy(bytes, done, buffer, buffered, piece);
        buffered += piece;
        position += piece;
        done += piece;
      }
    }

    void flush() throws IOException {
      out.write(position - buffered, ByteBuffer.wrap(buffer, 0, buffered));
      buffered = 0;
    }
  }
}
