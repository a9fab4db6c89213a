package io.github.avf4j.microdroid.boot;

import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.microdroid.image.ImageView;
import java.io.EOFException;

/**
 * A range of an image, which was checked to lie inside it. Immutable and thread-safe.
 *
 * @param offset in bytes from the start of the image
 * @param size in bytes; 0 if there is no such part
 */
public record ImagePart(long offset, long size) {
  /** Whether there is no such part. */
  public boolean isEmpty() {
    return size == 0;
  }

  /**
   * The bytes of the part.
   *
   * @param image that it was found in
   */
  public ImageSource of(ImageSource image) throws EOFException {
    return ImageView.part(image, offset, size);
  }
}
