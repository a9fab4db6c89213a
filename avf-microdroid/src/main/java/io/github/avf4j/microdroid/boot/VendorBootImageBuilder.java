package io.github.avf4j.microdroid.boot;

import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.microdroid.image.AtomicFile;
import io.github.avf4j.microdroid.image.ImageException;
import io.github.avf4j.microdroid.image.ImageFormat;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * Makes vendor boot images of header version 3 or 4.
 *
 * <p>Sources are read when the image is written. Confined to one thread.
 */
public final class VendorBootImageBuilder {
  private static final ImageSource NOTHING = ImageSource.of(new byte[0]);
  private static final ImageFormat FORMAT = ImageFormat.VENDOR_BOOT;

  /** Where boot loaders of old put things: 256 MiB and what mkbootimg adds. */
  private static final int BASE = 0x10000000;

  private record Ramdisk(
      ImageSource content, VendorRamdisk.Type type, String name, List<Integer> boardId) {}

  private final int version;
  private final List<Ramdisk> ramdisks = new ArrayList<>();
  private String commandLine = "";
  private String name = "";
  private ImageSource dtb = NOTHING;
  private String bootconfig = "";
  private int pageSize = 2048;
  private int kernelAddress = BASE + 0x8000;
  private int ramdiskAddress = BASE + 0x01000000;
  private int tagsAddress = BASE + 0x100;
  private long dtbAddress = BASE + 0x01f00000L;

  /**
   * Starts an empty image with mkbootimg's page size of 2048 bytes and its addresses.
   *
   * @param version of the header, 3 or 4
   */
  public VendorBootImageBuilder(int version) {
    if (version != 3 && version != 4) {
      throw new ImageException(
          FORMAT, "images of header version 3 and 4 are made, not of " + version);
    }
    this.version = version;
  }

  /** Adds a ramdisk for any hardware. */
  public VendorBootImageBuilder ramdisk(
      ImageSource content, VendorRamdisk.Type type, String ramdiskName) {
    return ramdisk(content, type, ramdiskName, Collections.nCopies(VendorRamdisk.BOARD_WORDS, 0));
  }

  /**
   * Adds a ramdisk.
   *
   * @param ramdiskName at most 31 bytes
   * @param boardId 16 words
   * @throws ImageException if it is the second one of version 3
   */
  public VendorBootImageBuilder ramdisk(
      ImageSource content, VendorRamdisk.Type type, String ramdiskName, List<Integer> boardId) {
    if (ramdisks.size() == (version == 3 ? 1 : VendorBootImage.MAX_RAMDISKS)) {
      throw new ImageException(
          FORMAT, "an image of version " + version + " has no room for another ramdisk");
    }
    // The record checks what it is given.
    VendorRamdisk checked = new VendorRamdisk(new ImagePart(0, 0), type, ramdiskName, boardId);
    ramdisks.add(new Ramdisk(content, type, ramdiskName, checked.boardId()));
    return this;
  }

  /** Sets the kernel's command line, at most 2047 bytes. */
  public VendorBootImageBuilder commandLine(String commandLine) {
    this.commandLine = commandLine;
    return this;
  }

  /** Sets the name of the board, at most 15 bytes. */
  public VendorBootImageBuilder name(String name) {
    this.name = name;
    return this;
  }

  /** Sets the device tree. */
  public VendorBootImageBuilder dtb(ImageSource dtb) {
    this.dtb = dtb;
    return this;
  }

  /**
   * Sets the bootconfig, which version 4 has.
   *
   * @throws ImageException for version 3
   */
  public VendorBootImageBuilder bootconfig(String bootconfig) {
    if (version < 4) {
      throw new ImageException(FORMAT, "only images of version 4 have bootconfig");
    }
    this.bootconfig = bootconfig;
    return this;
  }

  /**
   * Sets the page size in bytes.
   *
   * @throws ImageException if it is not 2048, 4096, 8192 or 16384
   */
  public VendorBootImageBuilder pageSize(int pageSize) {
    if (pageSize < 2048 || pageSize > 16384 || Integer.bitCount(pageSize) != 1) {
      throw new ImageException(
          FORMAT, "the page size must be 2048, 4096, 8192 or 16384 but is " + pageSize);
    }
    this.pageSize = pageSize;
    return this;
  }

  /** Sets where a boot loader puts kernel, ramdisks, tags and device tree. */
  public VendorBootImageBuilder addresses(
      int kernelAddress, int ramdiskAddress, int tagsAddress, long dtbAddress) {
    this.kernelAddress = kernelAddress;
    this.ramdiskAddress = ramdiskAddress;
    this.tagsAddress = tagsAddress;
    this.dtbAddress = dtbAddress;
    return this;
  }

  /**
   * Writes the image.
   *
   * @throws ImageException if a part or a text is too long
   */
  public void write(Path file) throws IOException {
    byte[] config = bootconfig.getBytes(StandardCharsets.UTF_8);
    byte[] header = header(config.length);
    byte[] table = version == 3 ? new byte[0] : table();
    try (AtomicFile out = AtomicFile.create(file)) {
      PageWriter pages = new PageWriter(out, pageSize);
      pages.write(header);
      pages.pad();
      for (Ramdisk ramdisk : ramdisks) {
        pages.write(ramdisk.content());
      }
      pages.pad();
      pages.write(dtb);
      pages.pad();
      pages.write(table);
      pages.pad();
      pages.write(config);
      pages.pad();
      out.commit();
    }
  }

  private byte[] header(int bootconfigSize) {
    int size = version == 3 ? VendorBootImage.HEADER_V3 : VendorBootImage.HEADER_V4;
    ByteBuffer out = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    long total = ramdisks.stream().mapToLong(ramdisk -> ramdisk.content().size()).sum();
    out.put(FORMAT.magic()).putInt(version).putInt(pageSize);
    out.putInt(kernelAddress).putInt(ramdiskAddress);
    out.putInt(PageWriter.size(total, "the ramdisk section", FORMAT));
    HeaderText.write(out, 28, VendorBootImage.COMMAND_LINE, commandLine, FORMAT);
    out.putInt(2076, tagsAddress);
    HeaderText.write(out, 2080, VendorBootImage.NAME, name, FORMAT);
    out.position(2096);
    out.putInt(size).putInt(PageWriter.size(dtb.size(), "the device tree", FORMAT));
    out.putLong(dtbAddress);
    if (version == 4) {
      out.putInt(ramdisks.size() * VendorBootImage.ENTRY_SIZE).putInt(ramdisks.size());
      out.putInt(VendorBootImage.ENTRY_SIZE).putInt(bootconfigSize);
    }
    return out.array();
  }

  private byte[] table() {
    ByteBuffer out =
        ByteBuffer.allocate(ramdisks.size() * VendorBootImage.ENTRY_SIZE)
            .order(ByteOrder.LITTLE_ENDIAN);
    long offset = 0;
    for (Ramdisk ramdisk : ramdisks) {
      int start = out.position();
      out.putInt((int) ramdisk.content().size()).putInt((int) offset);
      out.putInt(ramdisk.type().ordinal());
      HeaderText.write(out, start + 12, VendorRamdisk.NAME, ramdisk.name(), FORMAT);
      out.position(start + 44);
      ramdisk.boardId().forEach(out::putInt);
      offset += ramdisk.content().size();
    }
    return out.array();
  }
}
