package io.github.avf4j;

import java.nio.file.Path;

/**
 * A raw disk image of a custom machine.
 *
 * <p>Thread-safe.
 *
 * @param image the image file; its length is a multiple of 512 bytes
 * @param readOnly whether the guest can only read it
 */
public record DiskImage(Path image, boolean readOnly) {
  /** Makes the path absolute. */
  public DiskImage {
    image = image.toAbsolutePath();
  }

  /** Returns a disk that the guest can only read. */
  public static DiskImage readOnly(Path image) {
    return new DiskImage(image, true);
  }

  /** Returns a disk that the guest can write. */
  public static DiskImage readWrite(Path image) {
    return new DiskImage(image, false);
  }
}
