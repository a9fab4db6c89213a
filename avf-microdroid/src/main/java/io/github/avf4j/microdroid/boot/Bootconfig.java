package io.github.avf4j.microdroid.boot;

import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.microdroid.image.ImageException;
import io.github.avf4j.microdroid.image.ImageFormat;
import io.github.avf4j.microdroid.image.ImageView;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Parameters for the kernel and init at the very end of an initial RAM disk: text, zeros, the
 * length of both, the sum of their bytes, and twelve bytes of magic. Immutable and thread-safe.
 *
 * @param text the lines, without padding
 * @param ramdiskSize how many bytes of the RAM disk are before it
 */
public record Bootconfig(String text, long ramdiskSize) {
  /** What Linux takes, in bytes with the padding. */
  public static final int MAX_SIZE = (1 << 15) - 1;

  private static final byte[] MAGIC = "#BOOTCONFIG\n".getBytes(StandardCharsets.US_ASCII);
  private static final int TRAILER = 2 * Integer.BYTES + MAGIC.length;
  private static final int ALIGNMENT = 4;

  /**
   * Reads the bootconfig of a RAM disk; empty if there is none.
   *
   * @throws ImageException if its length or its sum is wrong
   */
  public static Optional<Bootconfig> find(ImageSource initrd) throws IOException {
    ImageView in = new ImageView(ImageFormat.BOOTCONFIG, initrd);
    long at = in.size() - TRAILER;
    if (at < 0) {
      return Optional.empty();
    }
    ByteBuffer trailer = in.read(at, TRAILER, "the trailer");
    if (!Arrays.equals(trailer.array(), 2 * Integer.BYTES, TRAILER, MAGIC, 0, MAGIC.length)) {
      return Optional.empty();
    }
    long size = Integer.toUnsignedLong(trailer.getInt());
    if (size > at || size > MAX_SIZE) {
      throw in.refused(
          "the parameters have %d bytes, but there are %d before the trailer and at most %d are read"
              .formatted(size, at, MAX_SIZE),
          at);
    }
    byte[] bytes = in.bytes(at - size, (int) size, "the parameters");
    int sum = trailer.getInt();
    if (sum(bytes) != sum) {
      throw in.refused(
          "the sum of the parameters is %s but the trailer says %s"
              .formatted(Integer.toUnsignedString(sum(bytes)), Integer.toUnsignedString(sum)),
          at + Integer.BYTES);
    }
    int length = bytes.length;
    while (length > 0 && bytes[length - 1] == 0) {
      length--;
    }
    return Optional.of(
        new Bootconfig(new String(bytes, 0, length, StandardCharsets.UTF_8), at - size));
  }

  /**
   * Makes what follows a RAM disk.
   *
   * @param ramdiskSize its length in bytes
   * @param texts put one after the other, as they are
   * @throws ImageException if they are longer than Linux takes, or contain NUL
   */
  public static byte[] trailer(long ramdiskSize, List<String> texts) {
    byte[] text = String.join("", texts).getBytes(StandardCharsets.UTF_8);
    int padding = (int) (-(ramdiskSize + text.length) & (ALIGNMENT - 1));
    byte[] padded = Arrays.copyOf(text, text.length + padding);
    if (padded.length > MAX_SIZE) {
      throw new ImageException(
          ImageFormat.BOOTCONFIG,
          "the parameters have %d bytes but at most %d are read"
              .formatted(padded.length, MAX_SIZE));
    }
    for (byte b : text) {
      if (b == 0) {
        throw new ImageException(ImageFormat.BOOTCONFIG, "the parameters must not contain NUL");
      }
    }
    return ByteBuffer.allocate(padded.length + TRAILER)
        .order(ByteOrder.LITTLE_ENDIAN)
        .put(padded)
        .putInt(padded.length)
        .putInt(sum(padded))
        .put(MAGIC)
        .array();
  }

  private static int sum(byte[] bytes) {
    int sum = 0;
    for (byte b : bytes) {
      sum += b & 0xff;
    }
    return sum;
  }
}
