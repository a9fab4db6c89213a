package io.github.avf4j.microdroid.kernel;

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;

/**
 * Reads LZ4's legacy frame: a magic number, then blocks of at most 8 MiB, each with its compressed
 * size before it (LZ4 frame format description, "Legacy frame").
 *
 * <p>Confined to one thread.
 */
final class LegacyLz4InputStream extends InputStream {
  private static final int MAX_BLOCK = 8 << 20;
  private static final int MAX_COMPRESSED = MAX_BLOCK + MAX_BLOCK / 255 + 16;
  private static final int MIN_MATCH = 4;

  private final DataInputStream in;
  private byte[] compressed = new byte[0];
  private final byte[] block = new byte[MAX_BLOCK];
  private int position;
  private int end;

  LegacyLz4InputStream(InputStream in) throws IOException {
    this.in = new DataInputStream(in);
    this.in.readInt();
  }

  @Override
  public int read() throws IOException {
    return fill() ? block[position++] & 0xff : -1;
  }

  @Override
  public int read(byte[] target, int offset, int length) throws IOException {
    if (length == 0) {
      return 0;
    }
    if (!fill()) {
      return -1;
    }
    int count = Math.min(length, end - position);
    System.arraycopy(block, position, target, offset, count);
    position += count;
    return count;
  }

  private boolean fill() throws IOException {
    while (position == end) {
      int first = in.read();
      if (first < 0) {
        return false;
      }
      int size = first | in.readUnsignedByte() << 8 | in.readUnsignedByte() << 16;
      size |= in.readUnsignedByte() << 24;
      if (size < 0 || size > MAX_COMPRESSED) {
        throw new IOException("an LZ4 block must have at most " + MAX_COMPRESSED + " bytes");
      }
      if (compressed.length < size) {
        compressed = new byte[size];
      }
      in.readFully(compressed, 0, size);
      position = 0;
      end = decode(compressed, size, block);
    }
    return true;
  }

  /** Decodes one block (LZ4 block format description); returns its uncompressed length. */
  private static int decode(byte[] in, int length, byte[] out) throws IOException {
    int from = 0;
    int to = 0;
    try {
      while (from < length) {
        int token = in[from++] & 0xff;
        int literals = token >>> 4;
        if (literals == 15) {
          int more;
          do {
            more = in[from++] & 0xff;
            literals += more;
          } while (more == 255);
        }
        if (literals > length - from) {
          throw new EOFException("an LZ4 block ends within its literals");
        }
        System.arraycopy(in, from, out, to, literals);
        from += literals;
        to += literals;
        if (from == length) {
          break;
        }
        int distance = in[from] & 0xff | (in[from + 1] & 0xff) << 8;
        from += 2;
        if (distance == 0 || distance > to) {
          throw new IOException("an LZ4 match points before its block");
        }
        int match = (token & 15) + MIN_MATCH;
        if ((token & 15) == 15) {
          int more;
          do {
            more = in[from++] & 0xff;
            match += more;
          } while (more == 255);
        }
        // Source and target may overlap: a distance shorter than the match repeats it.
        for (int i = 0; i < match; i++, to++) {
          out[to] = out[to - distance];
        }
      }
      return to;
    } catch (IndexOutOfBoundsException e) {
      throw new IOException("an LZ4 block is longer than it may be", e);
    }
  }
}
