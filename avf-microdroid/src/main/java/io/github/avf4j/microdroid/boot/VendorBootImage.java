package io.github.avf4j.microdroid.boot;

import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.microdroid.image.ImageException;
import io.github.avf4j.microdroid.image.ImageFormat;
import io.github.avf4j.microdroid.image.ImageView;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * A vendor boot image of header version 3 or 4: a device's own ramdisks, its device tree, and, in
 * version 4, a table of the ramdisks and bootconfig. Immutable and thread-safe.
 *
 * @param version of the header, 3 or 4
 * @param pageSize what parts are padded to, in bytes
 * @param kernelAddress where a boot loader puts the kernel
 * @param ramdiskAddress where it puts the ramdisks
 * @param tagsAddress where it puts ATAGs
 * @param dtbAddress where it puts the device tree
 * @param commandLine for the kernel
 * @param name of the board
 * @param ramdiskSection all ramdisks, one after the other
 * @param ramdisks those of the table; the whole section in version 3
 * @param dtb the device tree
 * @param bootconfig of version 4, without trailer
 * @param end where the last part ends, with its padding
 */
public record VendorBootImage(
    int version,
    int pageSize,
    int kernelAddress,
    int ramdiskAddress,
    int tagsAddress,
    long dtbAddress,
    String commandLine,
    String name,
    ImagePart ramdiskSection,
    List<VendorRamdisk> ramdisks,
    ImagePart dtb,
    ImagePart bootconfig,
    long end) {
  static final int COMMAND_LINE = 2048;
  static final int NAME = 16;
  static final int HEADER_V3 = 2112;
  static final int HEADER_V4 = 2128;
  static final int ENTRY_SIZE = 108;

  /** More than boot loaders take; bounds what a table can ask for. */
  static final int MAX_RAMDISKS = 1024;

  /** What the tools of Android 11 wrote by mistake; the header is no shorter for that. */
  private static final int HEADER_V3_ANDROID_11 = 2108;

  private static final int VERSION_AT = 8;

  /** Copies the list. */
  public VendorBootImage {
    ramdisks = List.copyOf(ramdisks);
  }

  /**
   * Reads the header and checks that all parts lie inside the image, or before its AVB footer.
   *
   * @throws ImageException if that is not so, or the version is unknown
   */
  public static VendorBootImage read(ImageSource source) throws IOException {
    ImageView in = new ImageView(ImageFormat.VENDOR_BOOT, source);
    if (ImageFormat.of(source) != ImageFormat.VENDOR_BOOT) {
      throw in.refused("the magic must be \"VNDRBOOT\"", 0);
    }
    int version = in.read(VERSION_AT, Integer.BYTES, "the version").getInt();
    if (version != 3 && version != 4) {
      throw in.refused(
          "header version %s is unknown: 3 and 4 are".formatted(Integer.toUnsignedString(version)),
          VERSION_AT);
    }
    int size = version == 3 ? HEADER_V3 : HEADER_V4;
    ByteBuffer header = in.read(0, size, "the header");
    int said = header.getInt(2096);
    if (said != size && (version == 4 || said != HEADER_V3_ANDROID_11)) {
      throw in.refused(
          "the header of this version has %d bytes but says %s"
              .formatted(size, Integer.toUnsignedString(said)),
          2096);
    }
    int pageSize = Parts.pageSize(in, header.getInt(12), 12, 1);
    Parts parts = new Parts(in, pageSize, size);
    ImagePart section = parts.next(header.getInt(24), "the ramdisk section");
    ImagePart dtb = parts.next(header.getInt(2100), "the device tree");
    List<VendorRamdisk> ramdisks = List.of();
    ImagePart bootconfig = new ImagePart(parts.end(), 0);
    if (version == 4) {
      ImagePart table = parts.next(header.getInt(2112), "the ramdisk table");
      bootconfig = parts.next(header.getInt(2124), "the bootconfig");
      ramdisks = table(in, header, table, section);
    } else if (!section.isEmpty()) {
      ramdisks = List.of(VendorRamdisk.of(section, VendorRamdisk.Type.NONE, ""));
    }
    return new VendorBootImage(
        version,
        pageSize,
        header.getInt(16),
        header.getInt(20),
        header.getInt(2076),
        header.getLong(2104),
        HeaderText.read(header, 28, COMMAND_LINE),
        HeaderText.read(header, 2080, NAME),
        section,
        ramdisks,
        dtb,
        bootconfig,
        parts.end());
  }

  private static List<VendorRamdisk> table(
      ImageView in, ByteBuffer header, ImagePart table, ImagePart section) throws IOException {
    long count = Integer.toUnsignedLong(header.getInt(2116));
    if (count > 0 && header.getInt(2120) != ENTRY_SIZE) {
      throw in.refused("an entry of the ramdisk table must have 108 bytes", 2120);
    }
    if (count > MAX_RAMDISKS || count * ENTRY_SIZE != table.size()) {
      throw in.refused(
          "the ramdisk table has %d bytes, which are not %d entries of 108 and at most %d"
              .formatted(table.size(), count, MAX_RAMDISKS),
          2112);
    }
    ByteBuffer entries = in.read(table.offset(), (int) table.size(), "the ramdisk table");
    List<VendorRamdisk> ramdisks = new ArrayList<>();
    for (int at = 0; at < entries.capacity(); at += ENTRY_SIZE) {
      long size = Integer.toUnsignedLong(entries.getInt(at));
      long offset = Integer.toUnsignedLong(entries.getInt(at + 4));
      if (offset > section.size() || size > section.size() - offset) {
        throw in.refused(
            "a ramdisk has %d bytes at byte %d of a section of %d"
                .formatted(size, offset, section.size()),
            table.offset() + at);
      }
      ramdisks.add(
          new VendorRamdisk(
              new ImagePart(section.offset() + offset, size),
              type(in, entries.getInt(at + 8), table.offset() + at + 8),
              HeaderText.read(entries, at + 12, VendorRamdisk.NAME),
              boardId(entries, at + 44)));
    }
    return ramdisks;
  }

  private static VendorRamdisk.Type type(ImageView in, int number, long at) {
    return VendorRamdisk.Type.of(number)
        .orElseThrow(
            () ->
                in.refused("ramdisk type " + Integer.toUnsignedString(number) + " is unknown", at));
  }

  private static List<Integer> boardId(ByteBuffer entries, int at) {
    List<Integer> words = new ArrayList<>();
    for (int i = 0; i < VendorRamdisk.BOARD_WORDS; i++) {
      words.add(entries.getInt(at + i * Integer.BYTES));
    }
    return words;
  }
}
