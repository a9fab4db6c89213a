package io.github.avf4j.microdroid.verity;

import io.github.avf4j.attestation.ByteSlice;

/**
 * The parameters of a device-mapper target {@code verity} over data with an fs-verity tree, as
 * apkdmverity sets it up for an APK and its idsig. Immutable and thread-safe.
 *
 * @param dataDevice the path of the device with the data
 * @param hashDevice the path of the device that starts with the tree
 * @param dataSize the bytes of the data, a multiple of 4096
 * @param rootHash 32 bytes
 * @param salt as fs-verity has it
 */
public record DmVerityTable(
    String dataDevice, String hashDevice, long dataSize, ByteSlice rootHash, ByteSlice salt) {
  private static final int SECTOR = 512;

  /** Checks the size. */
  public DmVerityTable {
    if (dataSize <= 0 || dataSize % FsVerityDescriptor.BLOCK != 0) {
      throw new IllegalArgumentException(
          "dataSize must be a multiple of 4096 above 0 but was " + dataSize);
    }
  }

  /** The length of the mapped device in sectors of 512 bytes. */
  public long sectors() {
    return dataSize / SECTOR;
  }

  /** The text after {@code 0 SECTORS verity}. */
  public String parameters() {
    // fs-verity fills a salt up with zeros; dm-verity takes it as it is.
    ByteSlice filled = FsVerityDescriptor.parameters(salt).prefix();
    return "1 %s %s %d %d %d 0 sha256 %s %s"
        .formatted(
            dataDevice,
            hashDevice,
            FsVerityDescriptor.BLOCK,
            FsVerityDescriptor.BLOCK,
            dataSize / FsVerityDescriptor.BLOCK,
            rootHash.toHex(),
            filled.isEmpty() ? "-" : filled.toHex());
  }
}
