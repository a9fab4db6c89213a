package io.github.avf4j.microdroid.disk;

import io.github.avf4j.microdroid.image.ImageException;
import io.github.avf4j.microdroid.image.ImageFormat;
import java.util.UUID;

/**
 * An entry of a GUID partition table. Immutable and thread-safe.
 *
 * @param label at most 36 UTF-16 units
 * @param guid its own
 * @param type the GUID of its kind
 * @param firstBlock its first block of 512 bytes
 * @param lastBlock its last block
 */
public record Partition(String label, UUID guid, UUID type, long firstBlock, long lastBlock) {
  /** The kind that virtmgr gives to all partitions: a Linux file system. */
  public static final UUID LINUX = UUID.fromString("0fc63daf-8483-4772-8e79-3d69d8477de4");

  /** The longest label, in UTF-16 units. */
  public static final int MAX_LABEL = 36;

  static final int BLOCK = 512;

  /** Checks label and blocks. */
  public Partition {
    if (label.length() > MAX_LABEL || label.indexOf('\0') >= 0) {
      throw new ImageException(
          ImageFormat.GPT,
          "a label must have at most 36 UTF-16 units and no NUL but is \"" + label + '"');
    }
    if (firstBlock < 0 || lastBlock < firstBlock || lastBlock > Long.MAX_VALUE / BLOCK - 1) {
      throw new ImageException(
          ImageFormat.GPT,
          "partition \"%s\" is at blocks %s..%s"
              .formatted(
                  label, Long.toUnsignedString(firstBlock), Long.toUnsignedString(lastBlock)));
    }
  }

  /** Where it starts in the disk, in bytes. */
  public long start() {
    return firstBlock * BLOCK;
  }

  /** Its length in bytes. */
  public long size() {
    return (lastBlock - firstBlock + 1) * BLOCK;
  }
}
