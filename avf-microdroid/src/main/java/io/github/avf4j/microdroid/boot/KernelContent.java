package io.github.avf4j.microdroid.boot;

import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.microdroid.image.AtomicFile;
import io.github.avf4j.microdroid.image.ImageException;
import io.github.avf4j.microdroid.image.ImageFormat;
import io.github.avf4j.microdroid.kernel.Compression;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;

/**
 * Kernels as boot images hold them: raw, or compressed as a whole with gzip, lz4 (the legacy
 * format), xz or zstd, as GKI's {@code Image.gz} and {@code Image.lz4} are. A bzImage is raw: it
 * unpacks itself, or {@link io.github.avf4j.microdroid.kernel.KernelUnpacker} does.
 */
public final class KernelContent {
  private static final int MAGIC_SIZE = 8;
  private static final int PIECE = 1 << 16;
  private static final long MAX_UNPACKED = 1 << 30;

  private KernelContent() {}

  /** The name of the compression, empty if there is none. */
  public static Optional<String> compression(ImageSource kernel) throws IOException {
    return find(kernel).map(found -> found.name().toLowerCase(Locale.ROOT));
  }

  private static Optional<Compression> find(ImageSource kernel) throws IOException {
    int length = (int) Math.min(MAGIC_SIZE, kernel.size());
    return Compression.at(kernel.readRange(0, length), 0);
  }

  /**
   * Writes the kernel to a file, unpacked if it is compressed.
   *
   * @return the length in bytes
   * @throws ImageException if the compressed data is damaged, or unpacks to more than 1 GiB
   * @throws IOException if the file cannot be written
   */
  public static long unpack(ImageSource kernel, Path file) throws IOException {
    Optional<Compression> compression = find(kernel);
    try (AtomicFile out = AtomicFile.create(file);
        InputStream in =
            compression.isPresent()
                ? open(compression.get(), kernel)
                : new SourceInputStream(kernel)) {
      long size = copy(in, out.stream());
      out.commit();
      return size;
    }
  }

  private static InputStream open(Compression compression, ImageSource kernel) {
    try {
      return compression.open(new BufferedInputStream(new SourceInputStream(kernel), PIECE));
    } catch (IOException | RuntimeException e) {
      throw damaged(e);
    }
  }

  private static long copy(InputStream in, OutputStream out) throws IOException {
    byte[] buffer = new byte[PIECE];
    long total = 0;
    int count;
    while ((count = read(in, buffer)) > 0) {
      total += count;
      if (total > MAX_UNPACKED) {
        throw new ImageException(
            ImageFormat.BOOT, "the kernel has more than " + MAX_UNPACKED + " bytes");
      }
      out.write(buffer, 0, count);
    }
    return total;
  }

  private static int read(InputStream in, byte[] buffer) {
    try {
      return in.read(buffer);
    } catch (IOException | RuntimeException e) {
      throw damaged(e);
    }
  }

  private static ImageException damaged(Exception e) {
    return new ImageException(
        ImageFormat.BOOT, "the compressed kernel is damaged: " + e.getMessage(), 0, e);
  }
}
