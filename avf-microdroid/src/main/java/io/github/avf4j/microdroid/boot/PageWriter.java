package io.github.avf4j.microdroid.boot;

import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.microdroid.image.AtomicFile;
import io.github.avf4j.microdroid.image.ImageException;
import io.github.avf4j.microdroid.image.ImageFormat;
import java.io.IOException;
import java.nio.ByteBuffer;

/** Writes the parts of an image one after the other; confined to one thread. */
final class PageWriter {
  private static final int PIECE = 1 << 16;

  private final AtomicFile out;
  private final int pageSize;
  private long position;

  PageWriter(AtomicFile out, int pageSize) {
    this.out = out;
    this.pageSize = pageSize;
  }

  void write(byte[] bytes) throws IOException {
    out.write(position, ByteBuffer.wrap(bytes));
    position += bytes.length;
  }

  void write(ImageSource content) throws IOException {
    byte[] buffer = new byte[(int) Math.min(PIECE, content.size())];
    for (long done = 0; done < content.size(); ) {
      int piece = (int) Math.min(buffer.length, content.size() - done);
      content.read(done, buffer, 0, piece);
      out.write(position, ByteBuffer.wrap(buffer, 0, piece));
      position += piece;
      done += piece;
    }
  }

  /** Fills the page with zeros. */
  void pad() throws IOException {
    position = (position + pageSize - 1) / pageSize * pageSize;
    out.extendTo(position);
  }

  /** A size for a field of 32 bits. */
  static int size(long size, String what, ImageFormat format) {
    if (size > 0xffff_ffffL) {
      throw new ImageException(
          format, what + " must have less than 4 GiB but has " + size + " bytes");
    }
    return (int) size;
  }
}
