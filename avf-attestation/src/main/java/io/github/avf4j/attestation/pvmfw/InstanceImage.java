package io.github.avf4j.attestation.pvmfw;

import io.github.avf4j.attestation.ByteSlice;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * An instance image: what each stage of a VM remembers from boot to boot, in records of 512-byte
 * blocks.
 *
 * <p>A payload is written before the header that announces it, so that a boot that is killed in
 * between leaves the image as it was. Confined to one thread.
 */
public final class InstanceImage {
  /** The owner of pvmfw's record. */
  public static final UUID PVMFW = UUID.fromString("90d2174a-038a-4bc6-adf3-824848fc5825");

  /** The owner of Microdroid Manager's record. */
  public static final UUID MICRODROID = UUID.fromString("cf9afe9a-0662-11ec-a329-c32663a09d75");

  /** The name of the partition. */
  public static final String PARTITION = "vm-instance";

  static final int BLOCK = 512;
  private static final byte[] MAGIC = "Android-VM-instance".getBytes(StandardCharsets.US_ASCII);
  private static final int VERSION = 1;
  private static final UUID FREE = new UUID(0, 0);
  private static final int MAX_RECORDS = 1024;
  private static final int MAX_PAYLOAD = 1 << 20;

  private final InstanceStorage storage;

  /**
   * A record.
   *
   * @param owner who wrote it
   * @param headerOffset where its header block is, in bytes from the start of the partition
   * @param size the bytes of the payload, which begins in the next block
   */
  public record Record(UUID owner, long headerOffset, long size) {
    long payloadOffset() {
      return headerOffset + BLOCK;
    }

    long end() {
      return payloadOffset() + (size + BLOCK - 1) / BLOCK * BLOCK;
    }
  }

  private InstanceImage(InstanceStorage storage) {
    this.storage = storage;
  }

  /**
   * Opens the image on the first disk that has one; a disk without partition table is taken as the
   * partition itself.
   *
   * @throws PvmfwException of one of the INSTANCE errors
   */
  public static InstanceImage open(InstanceStorage disk) {
    try {
      if (!Gpt.isPresent(disk)) {
        return openPartition(disk);
      }
      Gpt.Range range =
          Gpt.find(disk, PARTITION)
              .orElseThrow(
                  () ->
                      new PvmfwException(
                          PvmfwError.INSTANCE_MISSING_IMAGE,
                          "the disk has no partition \"" + PARTITION + "\""));
      return openPartition(InstanceStorage.part(disk, range.start(), range.size()));
    } catch (IOException e) {
      throw failed(e);
    }
  }

  /** Opens the image that fills a partition. */
  public static InstanceImage openPartition(InstanceStorage partition) {
    try {
      if (partition.size() < BLOCK) {
        throw new PvmfwException(
            PvmfwError.INSTANCE_MISSING_HEADER, "the partition is shorter than a block");
      }
      byte[] header = partition.readRange(0, BLOCK);
      if (ByteSlice.takeOver(header).isAllZero()) {
        throw new PvmfwException(
            PvmfwError.INSTANCE_MISSING_HEADER, "the partition has no instance image");
      }
      ByteBuffer in = ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN);
      if (!Arrays.equals(header, 0, MAGIC.length, MAGIC, 0, MAGIC.length)
          || in.getShort(MAGIC.length) != VERSION) {
        throw new PvmfwException(
            PvmfwError.INSTANCE_INVALID_HEADER,
            "the partition does not begin with \"Android-VM-instance\" of version 1");
      }
      return new InstanceImage(partition);
    } catch (IOException e) {
      throw failed(e);
    }
  }

  /** Makes an empty image of a partition, whose content is lost. */
  public static InstanceImage format(InstanceStorage partition) {
    try {
      long size = partition.size();
      if (size < 2 * BLOCK) {
        throw new PvmfwException(
            PvmfwError.INSTANCE_IMAGE_FULL, "an instance image needs at least 1024 bytes");
      }
      ByteBuffer header = ByteBuffer.allocate(BLOCK).order(ByteOrder.LITTLE_ENDIAN);
      header.put(MAGIC).putShort((short) VERSION);
      partition.write(0, header.array());
      partition.write(BLOCK, new byte[BLOCK]);
      partition.flush();
      return new InstanceImage(partition);
    } catch (IOException e) {
      throw failed(e);
    }
  }

  /** The records in order. */
  public List<Record> records() {
    List<Record> records = new ArrayList<>();
    long at = BLOCK;
    while (true) {
      Optional<Record> next = recordAt(at);
      if (next.isEmpty()) {
        return records;
      }
      if (records.size() == MAX_RECORDS) {
        throw new PvmfwException(
            PvmfwError.INSTANCE_INVALID_HEADER, "more than " + MAX_RECORDS + " records");
      }
      records.add(next.get());
      at = next.get().end();
    }
  }

  /** The first record of an owner. */
  public Optional<Record> find(UUID owner) {
    return records().stream().filter(record -> record.owner().equals(owner)).findFirst();
  }

  /**
   * The stored payload of a record.
   *
   * @throws PvmfwException if it has more than 1 MiB
   */
  public byte[] payload(Record record) {
    if (record.size() > MAX_PAYLOAD) {
      throw new PvmfwException(
          PvmfwError.INSTANCE_UNSUPPORTED_ENTRY_SIZE,
          "a record of " + record.size() + " bytes is not read");
    }
    return read(record.payloadOffset(), (int) record.size());
  }

  /** The header block of a record as it is stored, which Microdroid authenticates. */
  public byte[] headerBlock(Record record) {
    return read(record.headerOffset(), BLOCK);
  }

  /**
   * The header block that a new record will have: where a payload is sealed to it.
   *
   * @param size of the payload, in bytes
   */
  public static byte[] headerBlock(UUID owner, long size) {
    ByteBuffer header = ByteBuffer.allocate(BLOCK);
    header.putLong(owner.getMostSignificantBits()).putLong(owner.getLeastSignificantBits());
    header.order(ByteOrder.LITTLE_ENDIAN).putLong(size);
    return header.array();
  }

  /**
   * Adds a record behind the others: the payload first, then, once it is durable, the header.
   *
   * @throws PvmfwException of error INSTANCE_IMAGE_FULL if it does not fit
   */
  public Record append(UUID owner, byte[] payload) {
    List<Record> records = records();
    long at = records.isEmpty() ? BLOCK : records.get(records.size() - 1).end();
    Record added = new Record(owner, at, payload.length);
    if (added.end() > storage.size()) {
      throw new PvmfwException(
          PvmfwError.INSTANCE_IMAGE_FULL,
          "a record of %d bytes does not fit".formatted(payload.length));
    }
    writePayload(added, payload);
    write(at, headerBlock(owner, payload.length));
    return added;
  }

  /** Replaces a payload by one of the same size. */
  public void replace(Record record, byte[] payload) {
    if (payload.length != record.size()) {
      throw new PvmfwException(
          PvmfwError.INSTANCE_UNSUPPORTED_ENTRY_SIZE,
          "a record keeps its size of %d bytes but here are %d"
              .formatted(record.size(), payload.length));
    }
    writePayload(record, payload);
  }

  private void writePayload(Record record, byte[] payload) {
    write(
        record.payloadOffset(),
        Arrays.copyOf(payload, (int) (record.end() - record.payloadOffset())));
  }

  private Optional<Record> recordAt(long at) {
    if (at > storage.size() - BLOCK) {
      return Optional.empty();
    }
    ByteBuffer in = ByteBuffer.wrap(read(at, BLOCK));
    UUID owner = new UUID(in.getLong(), in.getLong());
    if (owner.equals(FREE)) {
      return Optional.empty();
    }
    long size = in.order(ByteOrder.LITTLE_ENDIAN).getLong();
    long room = storage.size() - at - BLOCK;
    if (size < 0 || size > room) {
      throw new PvmfwException(
          PvmfwError.INSTANCE_INVALID_HEADER,
          "a record of %s bytes exceeds the partition".formatted(Long.toUnsignedString(size)),
          at);
    }
    return Optional.of(new Record(owner, at, size));
  }

  private byte[] read(long at, int length) {
    try {
      return storage.readRange(at, length);
    } catch (IOException e) {
      throw failed(e);
    }
  }

  private void write(long at, byte[] bytes) {
    try {
      storage.write(at, bytes);
      storage.flush();
    } catch (IOException e) {
      throw failed(e);
    }
  }

  private static PvmfwException failed(IOException e) {
    return new PvmfwException(
        PvmfwError.INSTANCE_FAILED_IO, "the instance disk fails: " + e.getMessage(), e);
  }
}
