package io.github.avf4j.microdroid.disk;

import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.microdroid.image.ImageException;
import io.github.avf4j.microdroid.image.ImageFormat;
import io.github.avf4j.microdroid.image.ImageView;
import io.github.avf4j.microdroid.image.Progress;
import io.github.avf4j.microdroid.internal.Crc32Math;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.zip.CRC32;

/**
 * The content of an Android sparse image. What it does not care for reads as zeros.
 *
 * <p>Opening checks all headers; checksums are checked by {@link #verify}. Bytes after the last
 * chunk are ignored. At most 2^21 chunks are read. Thread-safe.
 */
public final class SparseImage implements ImageSource {
  private static final int PIECE = 1 << 16;

  private final ImageView in;
  private final SparseHeader header;
  private final long end;

  // One entry for each chunk that makes blocks; objects would be ten times as large.
  private int[] firstBlocks = new int[64];
  private short[] types = new short[64];
  private long[] dataAt = new long[64];
  private int count;

  private SparseImage(ImageView in) throws IOException {
    this.in = in;
    this.header = SparseHeader.read(in);
    this.end = header.walk(in, this::add);
  }

  /**
   * Opens an image.
   *
   * @throws ImageException if it is damaged
   */
  public static SparseImage open(ImageSource file) throws IOException {
    return new SparseImage(new ImageView(ImageFormat.SPARSE, file));
  }

  private void add(SparseHeader.Chunk chunk) {
    if (chunk.blocks() == 0) {
      return;
    }
    if (count == types.length) {
      int room = count + count / 2;
      firstBlocks = Arrays.copyOf(firstBlocks, room);
      types = Arrays.copyOf(types, room);
      dataAt = Arrays.copyOf(dataAt, room);
    }
    firstBlocks[count] = (int) chunk.firstBlock();
    types[count] = (short) chunk.type();
    dataAt[count] = chunk.dataAt();
    count++;
  }

  /** The header. */
  public SparseHeader header() {
    return header;
  }

  /** How many bytes follow the last chunk; they mean nothing. */
  public long trailing() {
    return in.size() - end;
  }

  /** The number of bytes of the content. */
  @Override
  public long size() {
    return header.totalBlocks() * header.blockSize();
  }

  @Override
  public void read(long position, byte[] target, int offset, int length) throws IOException {
    requireInside(position, length);
    int done = 0;
    for (int i = length == 0 ? 0 : indexOf(position); done < length; i++) {
      long start = start(i);
      long inChunk = position + done - start;
      long chunkEnd = i + 1 < count ? start(i + 1) : size();
      int piece = (int) Math.min(length - done, chunkEnd - start - inChunk);
      read(i, inChunk, target, offset + done, piece);
      done += piece;
    }
  }

  private void read(int chunk, long inChunk, byte[] target, int offset, int length)
      throws IOException {
    switch (Short.toUnsignedInt(types[chunk])) {
      case SparseHeader.RAW -> in.source().read(dataAt[chunk] + inChunk, target, offset, length);
      case SparseHeader.FILL -> {
        byte[] pattern = pattern(dataAt[chunk]);
        for (int i = 0; i < length; i++) {
          target[offset + i] = pattern[(int) (inChunk + i & 3)];
        }
      }
      default -> Arrays.fill(target, offset, offset + length, (byte) 0);
    }
  }

  private byte[] pattern(long at) throws IOException {
    return in.bytes(at, Integer.BYTES, "a fill pattern");
  }

  private long start(int chunk) {
    return Integer.toUnsignedLong(firstBlocks[chunk]) * header.blockSize();
  }

  private int indexOf(long position) {
    int low = 0;
    int high = count - 1;
    while (low < high) {
      int middle = (low + high + 1) >>> 1;
      if (start(middle) <= position) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    return low;
  }

  /**
   * Checks the checksums: of the CRC chunks, each over the content before it, and of the header if
   * that is not 0. Reads the whole file.
   *
   * @return how many checksums there were
   * @throws ImageException if one is wrong
   */
  public long verify(Progress progress) throws IOException {
    long[] found = {0};
    int[] running = {0};
    header.walk(
        in,
        chunk -> {
          if (chunk.type() == SparseHeader.CRC32) {
            int stored =
                ByteBuffer.wrap(in.bytes(chunk.dataAt(), Integer.BYTES, "a checksum"))
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .getInt();
            found[0]++;
            require(running[0] == stored, chunk.dataAt());
          } else {
            long length = chunk.blocks() * header.blockSize();
            running[0] = Crc32Math.joined(running[0], crc(chunk, length, progress), length);
          }
          progress.at(chunk.dataAt(), in.size());
        });
    progress.at(in.size(), in.size());
    if (header.checksum() != 0) {
      found[0]++;
      require(running[0] == header.checksum(), 24);
    }
    return found[0];
  }

  private void require(boolean equal, long at) {
    if (!equal) {
      throw in.refused("the checksum of the content is another", at);
    }
  }

  private int crc(SparseHeader.Chunk chunk, long length, Progress progress) throws IOException {
    CRC32 crc = new CRC32();
    if (chunk.type() == SparseHeader.RAW) {
      byte[] buffer = new byte[(int) Math.min(PIECE, length)];
      for (long done = 0; done < length; ) {
        int piece = (int) Math.min(buffer.length, length - done);
        in.source().read(chunk.dataAt() + done, buffer, 0, piece);
        crc.update(buffer, 0, piece);
        done += piece;
        progress.at(chunk.dataAt() + done, in.size());
      }
      return (int) crc.getValue();
    }
    crc.update(
        chunk.type() == SparseHeader.FILL ? pattern(chunk.dataAt()) : new byte[Integer.BYTES]);
    return Crc32Math.repeated((int) crc.getValue(), Integer.BYTES, length / Integer.BYTES);
  }
}
