package io.github.avf4j.microdroid.base;

import io.github.avf4j.attestation.avb.AvbPublicKey;
import io.github.avf4j.microdroid.FileStamp;
import java.util.stream.Collectors;

/**
 * A base image and who must have signed it. Immutable and thread-safe.
 *
 * @param image the files
 * @param key the only key that the firmware of its machines trusts
 * @param state tells these files from others that take their places later
 */
public record TrustedBaseImage(BaseImage image, AvbPublicKey key, String state) {
  /**
   * The image as it is now; its content is not looked at.
   *
   * @throws io.github.avf4j.BaseImageException if a file is missing, empty or no regular file
   */
  public static TrustedBaseImage of(BaseImage image, AvbPublicKey key) {
    return new TrustedBaseImage(
        image,
        key,
        image.stamps().stream().map(FileStamp::format).collect(Collectors.joining("\n")));
  }
}
