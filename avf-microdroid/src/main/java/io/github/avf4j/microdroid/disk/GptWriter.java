package io.github.avf4j.microdroid.disk;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.zip.CRC32;

/**
 * Writes both ends of a disk with a GUID partition table, byte for byte as crosvm's {@code
 * create_composite} does.
 *
 * <p>Two of its oddities are kept: the protective MBR counts all blocks of the disk, and the
 * secondary header names block 2 as that of its entries, too.
 */
final class GptWriter {
  /** The bytes of either end of the disk. */
  static final int END_SIZE = 20480;

  static final int ENTRIES = 128;
  static final int ENTRY_SIZE = 128;
  static final int HEADER_SIZE = 92;
  static final int NAME_AT = 56;
  static final byte[] SIGNATURE = "EFI PART".getBytes(StandardCharsets.US_ASCII);
  static final int REVISION = 0x10000;
  static final int MBR_ENTRY_AT = 446;

  private static final int BLOCK = Partition.BLOCK;
  private static final int ENTRIES_SIZE = ENTRIES * ENTRY_SIZE;
  private static final int FIRST_USABLE = END_SIZE / BLOCK;

  /** Zeros before the secondary entries, which make that end a multiple of 4096. */
  private static final int FILLER = END_SIZE - BLOCK - ENTRIES_SIZE;

  private final UUID diskGuid;
  private final byte[] entries;
  private final long secondary;

  /**
   * Makes a table.
   *
   * @param footerAt where the last 20480 bytes of the disk start
   */
  GptWriter(UUID diskGuid, List<Partition> partitions, long footerAt) {
    this.diskGuid = diskGuid;
    this.entries = entries(partitions);
    this.secondary = footerAt + FILLER;
  }

  /** The length of the whole disk in bytes. */
  long diskSize() {
    return secondary + ENTRIES_SIZE + BLOCK;
  }

  /** The first 20480 bytes: protective MBR, primary header, entries. */
  byte[] head() {
    ByteBuffer out = ByteBuffer.allocate(END_SIZE).order(ByteOrder.LITTLE_ENDIAN);
    long blocks = diskSize() / BLOCK;
    out.put(MBR_ENTRY_AT + 4, (byte) 0xee);
    out.putInt(MBR_ENTRY_AT + 8, 1);
    out.putInt(MBR_ENTRY_AT + 12, (int) Math.min(blocks, 0xffff_ffffL));
    out.put(510, (byte) 0x55).put(511, (byte) 0xaa);
    out.put(BLOCK, header(1, blocks - 1));
    out.put(2 * BLOCK, entries);
    return out.array();
  }

  /** The last 20480 bytes: entries, secondary header. */
  byte[] foot() {
    ByteBuffer out = ByteBuffer.allocate(END_SIZE);
    out.put(FILLER, entries);
    out.put(FILLER + ENTRIES_SIZE, header(diskSize() / BLOCK - 1, 1));
    return out.array();
  }

  private byte[] header(long current, long backup) {
    ByteBuffer out = ByteBuffer.allocate(HEADER_SIZE).order(ByteOrder.LITTLE_ENDIAN);
    out.put(SIGNATURE).putInt(REVISION).putInt(HEADER_SIZE).putInt(0).putInt(0);
    out.putLong(current).putLong(backup);
    out.putLong(FIRST_USABLE).putLong(secondary / BLOCK - 1);
    out.put(mixedEndian(diskGuid)).putLong(2);
    out.putInt(ENTRIES).putInt(ENTRY_SIZE).putInt(crc(entries));
    out.putInt(16, crc(out.array()));
    return out.array();
  }

  private static byte[] entries(List<Partition> partitions) {
    ByteBuffer out = ByteBuffer.allocate(ENTRIES_SIZE).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < partitions.size(); i++) {
      Partition partition = partitions.get(i);
      out.position(i * ENTRY_SIZE);
      out.put(mixedEndian(partition.type())).put(mixedEndian(partition.guid()));
      out.putLong(partition.firstBlock()).putLong(partition.lastBlock()).putLong(0);
      byte[] name = partition.label().getBytes(StandardCharsets.UTF_16LE);
      out.put(Arrays.copyOf(name, 2 * Partition.MAX_LABEL));
    }
    return out.array();
  }

  /** UEFI's order: the first three fields little-endian, the rest as written. */
  static byte[] mixedEndian(UUID guid) {
    long high = guid.getMostSignificantBits();
    return ByteBuffer.allocate(16)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putInt((int) (high >>> 32))
        .putShort((short) (high >>> 16))
        .putShort((short) high)
        .order(ByteOrder.BIG_ENDIAN)
        .putLong(guid.getLeastSignificantBits())
        .array();
  }

  static int crc(byte[] bytes) {
    CRC32 crc = new CRC32();
    crc.update(bytes);
    return (int) crc.getValue();
  }
}
