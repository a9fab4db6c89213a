package io.github.avf4j.microdroid.boot;

import io.github.avf4j.attestation.avb.AvbFooter;
import io.github.avf4j.microdroid.image.ImageView;
import java.io.IOException;

/** Parts of an image that follow each other, each padded to whole pages. */
final class Parts {
  private static final int MAX_PAGE = 1 << 20;

  private final ImageView in;
  private final int pageSize;
  private final long limit;
  private long end;

  /** Starts after the header, which has {@code headerSize} bytes. */
  Parts(ImageView in, int pageSize, int headerSize) throws IOException {
    this.in = in;
    this.pageSize = pageSize;
    this.limit = contentSize(in);
    this.end = roundUp(headerSize);
  }

  /** The bytes before what AVB appended. */
  private static long contentSize(ImageView in) throws IOException {
    long size = AvbFooter.find(in.source()).map(AvbFooter::originalImageSize).orElse(in.size());
    if (size < 0 || size > in.size()) {
      throw in.refused(
          "the AVB footer says that the image had %s bytes but it has %d"
              .formatted(Long.toUnsignedString(size), in.size()),
          in.size() - AvbFooter.SIZE);
    }
    return size;
  }

  /** Checks a page size that a header names. */
  static int pageSize(ImageView in, int value, int at, int headerSize) {
    if (value < headerSize || value > MAX_PAGE || Integer.bitCount(value) != 1) {
      throw in.refused(
          "the page size must be a power of two from the header's %d bytes to 1 MiB but is %s"
              .formatted(headerSize, Integer.toUnsignedString(value)),
          at);
    }
    return value;
  }

  /** The next part; {@code size} is unsigned. */
  ImagePart next(int size, String what) {
    long length = Integer.toUnsignedLong(size);
    if (length == 0) {
      return new ImagePart(end, 0);
    }
    if (end > limit || length > limit - end) {
      throw in.refused(
          "%s has %d bytes at byte %d but the image ends at %d".formatted(what, length, end, limit),
          Math.min(end, limit));
    }
    ImagePart part = new ImagePart(end, length);
    end = roundUp(end + length);
    return part;
  }

  /** Where the parts up to now end, with their padding. */
  long end() {
    return end;
  }

  private long roundUp(long size) {
    return (size + pageSize - 1) / pageSize * pageSize;
  }
}
