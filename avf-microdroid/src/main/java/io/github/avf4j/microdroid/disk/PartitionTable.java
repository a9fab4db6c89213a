package io.github.avf4j.microdroid.disk;

import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.microdroid.image.ImageException;
import io.github.avf4j.microdroid.image.ImageFormat;
import io.github.avf4j.microdroid.image.ImageView;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;

/**
 * The GUID partition table of a disk, both copies of which were checked: signatures, checksums,
 * ranges, and that they agree. Immutable and thread-safe.
 *
 * <p>A secondary header may name block 2 as that of its entries, as crosvm writes it; the secondary
 * entries are then read from before that header.
 *
 * @param diskGuid of the disk
 * @param partitions in the order of the table
 */
public record PartitionTable(UUID diskGuid, List<Partition> partitions) {
  private static final int BLOCK = Partition.BLOCK;
  private static final int MAX_ENTRIES = 1024;

  /** Copies the list. */
  public PartitionTable {
    partitions = List.copyOf(partitions);
  }

  private record Header(
      UUID guid, long backup, long firstUsable, long lastUsable, long entriesAt, byte[] entries) {}

  /**
   * Reads and checks both tables of a disk with blocks of 512 bytes.
   *
   * @throws ImageException if either is missing or damaged, or they differ
   */
  public static PartitionTable read(ImageSource disk) throws IOException {
    ImageView in = new ImageView(ImageFormat.GPT, disk);
    long last = in.size() / BLOCK - 1;
    Header primary = header(in, 1, 2);
    if (primary.backup() != last) {
      throw in.refused(
          "the secondary table is at block %s but the last block is %d"
              .formatted(Long.toUnsignedString(primary.backup()), last),
          BLOCK + 32);
    }
    Header secondary = header(in, last, 1);
    if (secondary.backup() != 1) {
      throw in.refused("the secondary header does not lead to the primary one", last * BLOCK + 32);
    }
    if (!Arrays.equals(primary.entries(), secondary.entries())
        || !primary.guid().equals(secondary.guid())
        || primary.firstUsable() != secondary.firstUsable()
        || primary.lastUsable() != secondary.lastUsable()) {
      throw in.refused("primary and secondary table differ", last * BLOCK);
    }
    return new PartitionTable(primary.guid(), partitions(in, primary));
  }

  private static Header header(ImageView in, long block, long entriesBlock) throws IOException {
    long at = block * BLOCK;
    ByteBuffer header = in.read(at, BLOCK, "a partition table header");
    byte[] bytes = header.array();
    byte[] signature = GptWriter.SIGNATURE;
    if (!Arrays.equals(bytes, 0, signature.length, signature, 0, signature.length)) {
      throw in.refused("there is no partition table", at);
    }
    if (header.getInt(8) != GptWriter.REVISION || header.getInt(12) != GptWriter.HEADER_SIZE) {
      throw in.refused("only headers of revision 1.0 with 92 bytes are known", at + 8);
    }
    int stored = header.getInt(16);
    header.putInt(16, 0);
    if (GptWriter.crc(Arrays.copyOf(bytes, GptWriter.HEADER_SIZE)) != stored) {
      throw in.refused("the checksum of the header is wrong", at + 16);
    }
    if (header.getLong(24) != block) {
      throw in.refused("the header says that it is at another block", at + 24);
    }
    long count = Integer.toUnsignedLong(header.getInt(80));
    if (count > MAX_ENTRIES || header.getInt(84) != GptWriter.ENTRY_SIZE) {
      throw in.refused("there must be at most 1024 entries of 128 bytes", at + 80);
    }
    int size = (int) count * GptWriter.ENTRY_SIZE;
    long entriesAt =
        entriesBlock == 1 && header.getLong(72) == 2
            ? at - (size + BLOCK - 1) / BLOCK * BLOCK
            : blockOffset(in, header.getLong(72), at + 72);
    byte[] entries = in.bytes(entriesAt, size, "the list of partitions");
    if (GptWriter.crc(entries) != header.getInt(88)) {
      throw in.refused("the checksum of the list of partitions is wrong", at + 88);
    }
    return new Header(
        guid(header, 56),
        header.getLong(32),
        header.getLong(40),
        header.getLong(48),
        entriesAt,
        entries);
  }

  private static long blockOffset(ImageView in, long block, long at) {
    if (block < 0 || block > in.size() / BLOCK) {
      throw in.refused("block " + Long.toUnsignedString(block) + " is beyond the disk", at);
    }
    return block * BLOCK;
  }

  private static List<Partition> partitions(ImageView in, Header header) {
    ByteBuffer entries = ByteBuffer.wrap(header.entries()).order(ByteOrder.LITTLE_ENDIAN);
    List<Partition> partitions = new ArrayList<>();
    UUID unused = new UUID(0, 0);
    for (int at = 0; at < header.entries().length; at += GptWriter.ENTRY_SIZE) {
      UUID type = guid(entries, at);
      if (type.equals(unused)) {
        continue;
      }
      long first = entries.getLong(at + 32);
      long last = entries.getLong(at + 40);
      if (first < header.firstUsable() || last < first || last > header.lastUsable()) {
        throw in.refused(
            "a partition is at blocks %s..%s but the usable ones are %s..%s"
                .formatted(
                    Long.toUnsignedString(first),
                    Long.toUnsignedString(last),
                    Long.toUnsignedString(header.firstUsable()),
                    Long.toUnsignedString(header.lastUsable())),
            header.entriesAt() + at + 32);
      }
      partitions.add(
          new Partition(
              label(header.entries(), at + GptWriter.NAME_AT),
              guid(entries, at + 16),
              type,
              first,
              last));
    }
    requireApart(in, partitions);
    return partitions;
  }

  private static void requireApart(ImageView in, List<Partition> partitions) {
    List<Partition> sorted =
        partitions.stream().sorted(Comparator.comparingLong(Partition::firstBlock)).toList();
    for (int i = 0; i < sorted.size(); i++) {
      if (i > 0 && sorted.get(i).firstBlock() <= sorted.get(i - 1).lastBlock()) {
        throw in.refused(
            "partitions \"%s\" and \"%s\" overlap"
                .formatted(sorted.get(i - 1).label(), sorted.get(i).label()),
            sorted.get(i).start());
      }
      if (sorted.get(i).lastBlock() >= in.size() / BLOCK) {
        throw in.refused(
            "partition \"" + sorted.get(i).label() + "\" ends beyond the disk",
            sorted.get(i).start());
      }
    }
  }

  private static String label(byte[] entries, int at) {
    String name = new String(entries, at, 2 * Partition.MAX_LABEL, StandardCharsets.UTF_16LE);
    int end = name.indexOf('\0');
    return end < 0 ? name : name.substring(0, end);
  }

  private static UUID guid(ByteBuffer in, int at) {
    long high =
        Integer.toUnsignedLong(in.getInt(at)) << 32
            | Short.toUnsignedLong(in.getShort(at + 4)) << 16
            | Short.toUnsignedLong(in.getShort(at + 6));
    return new UUID(high, Long.reverseBytes(in.getLong(at + 8)));
  }
}
