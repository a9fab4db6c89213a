package io.github.avf4j.microdroid.boot;

import io.github.avf4j.microdroid.image.ImageException;
import io.github.avf4j.microdroid.image.ImageFormat;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/**
 * An entry of a vendor boot image's table of ramdisks. Immutable and thread-safe.
 *
 * @param part where it is
 * @param type what it is for
 * @param name by which it is chosen or replaced
 * @param boardId 16 words that tell which hardware it is for
 */
public record VendorRamdisk(ImagePart part, Type type, String name, List<Integer> boardId) {
  static final int NAME = 32;
  static final int BOARD_WORDS = 16;

  /** What a ramdisk is for; in the order of its numbers. */
  public enum Type {
    /** Not said. */
    NONE,
    /** For this device. */
    PLATFORM,
    /** For recovery alone. */
    RECOVERY,
    /** Kernel modules. */
    DLKM;

    static Optional<Type> of(int number) {
      return number < 0 || number >= values().length
          ? Optional.empty()
          : Optional.of(values()[number]);
    }
  }

  /** Checks the words and copies them. */
  public VendorRamdisk {
    if (boardId.size() != BOARD_WORDS) {
      throw new ImageException(
          ImageFormat.VENDOR_BOOT, "a board id has 16 words, not " + boardId.size());
    }
    boardId = List.copyOf(boardId);
  }

  /** A ramdisk for any hardware. */
  public static VendorRamdisk of(ImagePart part, Type type, String name) {
    return new VendorRamdisk(part, type, name, Collections.nCopies(BOARD_WORDS, 0));
  }
}
