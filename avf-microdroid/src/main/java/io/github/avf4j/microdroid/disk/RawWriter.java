package io.github.avf4j.microdroid.disk;

import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.microdroid.image.AtomicFile;
import io.github.avf4j.microdroid.image.Progress;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;

/** Writes the content of disks as plain bytes, with holes where it has many zeros. */
public final class RawWriter {
  private static final int PIECE = 1 << 18;

  private RawWriter() {}

  /**
   * Writes all of the content.
   *
   * @throws IOException if it cannot be read, or the file cannot be written
   */
  public static void write(ImageSource content, Path file, Progress progress) throws IOException {
    byte[] buffer = new byte[PIECE];
    byte[] zeros = new byte[PIECE];
    try (AtomicFile out = AtomicFile.create(file)) {
      for (long at = 0; at < content.size(); ) {
        int piece = (int) Math.min(PIECE, content.size() - at);
        content.read(at, buffer, 0, piece);
        if (!Arrays.equals(buffer, 0, piece, zeros, 0, piece)) {
          out.write(at, ByteBuffer.wrap(buffer, 0, piece));
        }
        at += piece;
        progress.at(at, content.size());
      }
      out.extendTo(content.size());
      out.commit();
    }
  }
}
