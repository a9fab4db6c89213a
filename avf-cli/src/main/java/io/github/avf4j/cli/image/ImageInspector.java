package io.github.avf4j.cli.image;

import io.github.avf4j.attestation.avb.AvbFooter;
import io.github.avf4j.attestation.pvmfw.InstanceImage;
import io.github.avf4j.attestation.pvmfw.InstanceStorage;
import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.cli.internal.InputFile;
import io.github.avf4j.cli.internal.Table;
import io.github.avf4j.microdroid.boot.BootImage;
import io.github.avf4j.microdroid.boot.ImagePart;
import io.github.avf4j.microdroid.boot.KernelContent;
import io.github.avf4j.microdroid.boot.VendorBootImage;
import io.github.avf4j.microdroid.boot.VendorRamdisk;
import io.github.avf4j.microdroid.disk.CompositeDisk;
import io.github.avf4j.microdroid.disk.DiskImage;
import io.github.avf4j.microdroid.disk.Partition;
import io.github.avf4j.microdroid.disk.PartitionTable;
import io.github.avf4j.microdroid.disk.SparseHeader;
import io.github.avf4j.microdroid.disk.SparseImage;
import io.github.avf4j.microdroid.disk.WritablePartition;
import io.github.avf4j.microdroid.erofs.ErofsImage;
import io.github.avf4j.microdroid.erofs.ErofsInode;
import io.github.avf4j.microdroid.erofs.ErofsSuperblock;
import io.github.avf4j.microdroid.image.ImageException;
import io.github.avf4j.microdroid.image.ImageFormat;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Locale;

/** Tells what an image is, and puts its headers into a table. */
final class ImageInspector {
  private ImageInspector() {}

  /**
   * Reads the headers.
   *
   * @return the format
   * @throws ImageException if they are damaged, or the format is unknown
   */
  static ImageFormat inspect(Path file, Table table) throws IOException {
    try (FileChannel channel = InputFile.open(file)) {
      ImageSource source = ImageSource.of(channel);
      ImageFormat format = ImageFormat.of(source);
      table.row("format", format).row("file size", source.size());
      switch (format) {
        case SPARSE -> sparse(SparseImage.open(source), table);
        case COMPOSITE -> composite(DiskImage.readDescriptor(source), table);
        case BOOT -> boot(source, table);
        case VENDOR_BOOT -> vendorBoot(source, table);
        case EROFS -> erofs(ErofsImage.open(source), table);
        case INSTANCE -> instance(channel, table);
        case ENCRYPTED_STORE -> WritablePartition.isUnformattedStore(source);
        case GPT -> partitions(PartitionTable.read(source), table);
        default ->
            throw new ImageException(
                format, "the format is not known: there is no magic of one that is");
      }
      AvbFooter.find(source)
          .ifPresent(
              footer ->
                  table.row(
                      "AVB footer",
                      "for an image of %s bytes"
                          .formatted(Long.toUnsignedString(footer.originalImageSize()))));
      return format;
    }
  }

  private static void sparse(SparseImage image, Table table) {
    SparseHeader header = image.header();
    table
        .row("content size", image.size())
        .row("block size", header.blockSize())
        .row("blocks", header.totalBlocks())
        .row("chunks", header.totalChunks())
        .row("bytes after the last chunk", image.trailing());
  }

  private static void composite(CompositeDisk disk, Table table) {
    table.row("disk size", disk.length()).row("version", disk.version());
    table.row("component", "offset", "length", "mode", "file");
    for (int i = 0; i < disk.components().size(); i++) {
      CompositeDisk.Component component = disk.components().get(i);
      table.row(
          i,
          component.offset(),
          disk.lengthOf(i),
          component.writable() ? "rw" : "ro",
          component.fileOffset() == 0
              ? component.path()
              : component.path() + " from byte " + component.fileOffset());
    }
  }

  static void partitions(PartitionTable disk, Table table) {
    table.row("disk GUID", disk.diskGuid());
    table.row("partition", "offset", "size", "GUID", "label");
    int number = 1;
    for (Partition partition : disk.partitions()) {
      table.row(number++, partition.start(), partition.size(), partition.guid(), partition.label());
    }
  }

  private static void boot(ImageSource source, Table table) throws IOException {
    BootImage image = BootImage.read(source);
    table
        .row("header version", image.version())
        .row("kind", image.isInitBoot() ? "init_boot" : "boot")
        .row("page size", image.pageSize())
        .row("OS version", image.osVersion())
        .row("command line", image.commandLine());
    if (!image.name().isEmpty()) {
      table.row("board", image.name());
    }
    table.row("part", "offset", "size", "");
    String compression =
        image.kernel().isEmpty()
            ? ""
            : KernelContent.compression(image.kernel().of(source)).orElse("not compressed");
    part("kernel", image.kernel(), compression, table);
    part("ramdisk", image.ramdisk(), "", table);
    part("second", image.second(), "", table);
    part("recovery dtbo", image.recoveryDtbo(), "", table);
    part("dtb", image.dtb(), "", table);
    part("boot signature", image.signature(), "", table);
  }

  private static void vendorBoot(ImageSource source, Table table) throws IOException {
    VendorBootImage image = VendorBootImage.read(source);
    table
        .row("header version", image.version())
        .row("page size", image.pageSize())
        .row("board", image.name())
        .row("command line", image.commandLine());
    table.row("part", "offset", "size", "");
    for (VendorRamdisk ramdisk : image.ramdisks()) {
      part(
          "ramdisk",
          ramdisk.part(),
          (ramdisk.type().name().toLowerCase(Locale.ROOT) + " " + ramdisk.name()).strip(),
          table);
    }
    part("dtb", image.dtb(), "", table);
    part("bootconfig", image.bootconfig(), "", table);
  }

  private static void part(String name, ImagePart part, String remark, Table table) {
    if (!part.isEmpty()) {
      table.row(name, part.offset(), part.size(), remark);
    }
  }

  private static void erofs(ErofsImage image, Table table) throws IOException {
    ErofsSuperblock superblock = image.superblock();
    ErofsInode root = image.root();
    table
        .row("block size", superblock.blockSize())
        .row("blocks", superblock.blocks())
        .row("inodes", Long.toUnsignedString(superblock.inodes()))
        .row("UUID", superblock.uuid())
        .row("label", superblock.label())
        .row("built", time(superblock.buildTime()))
        .row("features", "0x%x".formatted(superblock.incompatible()))
        .row("checksum", superblock.hasChecksum() ? "holds" : "none")
        .row("root", "inode %d, mode 0%o".formatted(root.nid(), root.mode()));
  }

  private static Object time(long seconds) {
    return seconds < Instant.MIN.getEpochSecond() || seconds > Instant.MAX.getEpochSecond()
        ? seconds + " s"
        : Instant.ofEpochSecond(seconds);
  }

  private static void instance(FileChannel channel, Table table) throws IOException {
    table.row("record", "offset", "size", "owner");
    int number = 1;
    for (InstanceImage.Record record :
        InstanceImage.openPartition(InstanceStorage.of(channel)).records()) {
      String owner =
          record.owner().equals(InstanceImage.PVMFW)
              ? "pvmfw"
              : record.owner().equals(InstanceImage.MICRODROID)
                  ? "microdroid"
                  : record.owner().toString();
      table.row(number++, record.headerOffset(), record.size(), owner);
    }
  }
}
