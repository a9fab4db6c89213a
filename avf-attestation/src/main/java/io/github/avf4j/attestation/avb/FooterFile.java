package io.github.avf4j.attestation.avb;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.avb.AvbException.Kind;
import io.github.avf4j.attestation.verity.ImageSource;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;

/**
 * An image file that grows by what AVB appends to it. If growing fails, the file gets its original
 * size back. Confined to one thread.
 */
final class FooterFile implements AutoCloseable {
  static final int BLOCK = 4096;
  private static final int METADATA = VbmetaImage.MAX_SIZE + BLOCK;

  private final FileChannel file;
  private final long originalSize;

  private FooterFile(FileChannel file, long originalSize) {
    this.file = file;
    this.originalSize = originalSize;
  }

  static FooterFile open(Path path, boolean writable) throws IOException {
    FileChannel file =
        writable
            ? FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE)
            : FileChannel.open(path, StandardOpenOption.READ);
    try {
      return new FooterFile(file, originalSize(file));
    } catch (IOException | RuntimeException e) {
      file.close();
      throw e;
    }
  }

  private static long originalSize(FileChannel file) throws IOException {
    Optional<AvbFooter> footer = AvbFooter.find(ImageSource.of(file));
    if (footer.isEmpty()) {
      return file.size();
    }
    long size = footer.get().originalImageSize();
    if (size < 0 || size > file.size()) {
      throw new AvbException(
          Kind.HEADER,
          "the footer says that the image had %s bytes but the file has %d"
              .formatted(Long.toUnsignedString(size), file.size()));
    }
    return size;
  }

  /** The size of the image without what was appended earlier. */
  long originalSize() {
    return originalSize;
  }

  FileChannel channel() {
    return file;
  }

  /** The image without what was appended earlier. */
  ImageSource original() throws IOException {
    return ImageSource.prefix(ImageSource.of(file), originalSize);
  }

  void truncateToOriginal() throws IOException {
    file.truncate(originalSize);
  }

  /**
   * Writes vbmeta and footer behind {@code end}, both in blocks, with a hole between.
   *
   * @param partitionSize the size that the file gets; 0 for the least
   */
  void finish(long end, ByteSlice vbmeta, long partitionSize) throws IOException {
    long vbmetaEnd = roundUp(end + vbmeta.length());
    long size = partitionSize == 0 ? vbmetaEnd + BLOCK : partitionSize;
    write(end, vbmeta.toByteArray());
    AvbFooter footer = new AvbFooter(originalSize, end, vbmeta.length());
    write(size - AvbFooter.SIZE, footer.encode());
  }

  void write(long position, byte[] bytes) throws IOException {
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    while (buffer.hasRemaining()) {
      file.write(buffer, position + buffer.position());
    }
  }

  /** The size of a partition that is just large enough for any vbmeta image. */
  static long dynamicPartitionSize(long imageSize) {
    return roundUp(imageSize + METADATA);
  }

  /** The largest image that a partition can hold besides {@code extra} bytes, vbmeta and footer. */
  static long maxImageSize(long partitionSize, long extra) {
    return partitionSize - METADATA - extra;
  }

  static void requireBlocks(long partitionSize) {
    if (partitionSize < 0 || partitionSize % BLOCK != 0) {
      throw new AvbException(
          Kind.REQUEST, "the partition size must be a multiple of 4096 but was " + partitionSize);
    }
  }

  static void requireFit(long imageSize, long maxImageSize, long partitionSize) {
    if (imageSize > maxImageSize) {
      throw new AvbException(
          Kind.REQUEST,
          "the image has %d bytes but a partition of %d bytes holds at most %d"
              .formatted(imageSize, partitionSize, Math.max(0, maxImageSize)));
    }
  }

  static long roundUp(long size) {
    return (size + BLOCK - 1) / BLOCK * BLOCK;
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
