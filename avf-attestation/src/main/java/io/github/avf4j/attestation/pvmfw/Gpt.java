package io.github.avf4j.attestation.pvmfw;

import io.github.avf4j.attestation.verity.ImageSource;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;

/**
 * Finds a partition by name as pvmfw does: 512-byte blocks, the primary table only, no checksums.
 */
final class Gpt {
  private static final int BLOCK = 512;
  private static final int ENTRY = 128;
  private static final int NAME_AT = 56;
  private static final int NAME_SIZE = 72;
  private static final int MAX_ENTRIES = 1024;
  private static final byte[] SIGNATURE = "EFI PART".getBytes(StandardCharsets.US_ASCII);

  private Gpt() {}

  /**
   * A range of a disk.
   *
   * @param start in bytes
   * @param size in bytes
   */
  record Range(long start, long size) {}

  /** Whether the disk has a table that pvmfw would read. */
  static boolean isPresent(ImageSource disk) throws IOException {
    if (disk.size() < 3 * BLOCK) {
      return false;
    }
    byte[] header = disk.readRange(BLOCK, BLOCK);
    ByteBuffer in = ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN);
    return Arrays.equals(header, 0, SIGNATURE.length, SIGNATURE, 0, SIGNATURE.length)
        && in.getInt(8) == 0x10000
        && in.getInt(12) == 92
        && in.getLong(24) == 1
        && in.getLong(72) == 2
        && in.getInt(84) == ENTRY;
  }

  /** The range of the first partition of this name. */
  static Optional<Range> find(ImageSource disk, String name) throws IOException {
    if (!isPresent(disk)) {
      return Optional.empty();
    }
    ByteBuffer header =
        ByteBuffer.wrap(disk.readRange(BLOCK, BLOCK)).order(ByteOrder.LITTLE_ENDIAN);
    long count = Integer.toUnsignedLong(header.getInt(80));
    byte[] wanted = Arrays.copyOf(name.getBytes(StandardCharsets.UTF_16LE), NAME_SIZE);
    for (int i = 0; i < Math.min(count, MAX_ENTRIES); i++) {
      byte[] entry = disk.readRange(2L * BLOCK + (long) i * ENTRY, ENTRY);
      if (Arrays.equals(entry, NAME_AT, NAME_AT + NAME_SIZE, wanted, 0, NAME_SIZE)) {
        return Optional.of(range(entry, disk));
      }
    }
    return Optional.empty();
  }

  private static Range range(byte[] entry, ImageSource disk) {
    ByteBuffer in = ByteBuffer.wrap(entry).order(ByteOrder.LITTLE_ENDIAN);
    long first = in.getLong(32);
    long last = in.getLong(40);
    long blocks = disk.size() / BLOCK;
    if (first < 0 || last < first || last >= blocks) {
      throw new PvmfwException(
          PvmfwError.INSTANCE_FAILED_IO,
          "the partition is at blocks %s..%s but the disk has %d"
              .formatted(Long.toUnsignedString(first), Long.toUnsignedString(last), blocks));
    }
    return new Range(first * BLOCK, (last - first + 1) * BLOCK);
  }
}
