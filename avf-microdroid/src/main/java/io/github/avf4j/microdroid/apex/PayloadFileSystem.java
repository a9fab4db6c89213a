package io.github.avf4j.microdroid.apex;

import io.github.avf4j.attestation.verity.ImageSource;
import java.io.IOException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;

/** The file systems that a payload may have, by their magic. Immutable and thread-safe. */
public enum PayloadFileSystem {
  /** Linux's general one. */
  EXT4("ext4", 1080, "53ef"),
  /** The one for flash memory. */
  F2FS("f2fs", 1024, "1020f5f2"),
  /** The read-only one. */
  EROFS("erofs", 1024, "e2e1f5e0");

  private final String kernelName;
  private final int offset;
  private final byte[] magic;

  PayloadFileSystem(String kernelName, int offset, String magic) {
    this.kernelName = kernelName;
    this.offset = offset;
    this.magic = HexFormat.of().parseHex(magic);
  }

  /** Tells the file system of an image. */
  static Optional<PayloadFileSystem> of(ImageSource image) throws IOException {
    for (PayloadFileSystem system : values()) {
      if (image.size() >= system.offset + system.magic.length
          && Arrays.equals(image.readRange(system.offset, system.magic.length), system.magic)) {
        return Optional.of(system);
      }
    }
    return Optional.empty();
  }

  /** The name by which Linux mounts it. */
  @Override
  public String toString() {
    return kernelName;
  }
}
