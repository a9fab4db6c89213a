package io.github.avf4j.microdroid.image;

import io.github.avf4j.attestation.verity.ImageSource;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** The formats of images. Immutable and thread-safe. */
public enum ImageFormat {
  /** A list of files that together are one disk, by crosvm. */
  COMPOSITE("composite disk", 0, "composite_disk\u001d"),
  /** Android's format for images with holes. */
  SPARSE("sparse image", 0, "\u003a\u00ff\u0026\u00ed"),
  /** A kernel, or a generic ramdisk, or both. */
  BOOT("boot image", 0, "ANDROID!"),
  /** The ramdisks and the device tree of a device. */
  VENDOR_BOOT("vendor boot image", 0, "VNDRBOOT"),
  /** A read-only file system. */
  EROFS("EROFS image", 1024, "\u00e2\u00e1\u00f5\u00e0"),
  /** What the stages of a VM remember from boot to boot. */
  INSTANCE("instance image", 0, "Android-VM-instance"),
  /** Encrypted storage that no guest has formatted yet. */
  ENCRYPTED_STORE("encrypted store image", 0, "UNFORMATTED-STORAGE"),
  /** Disk images of QEMU, which are refused by name. */
  QCOW2("qcow2 image", 0, "QFI\u00fb"),
  /** A disk with a GUID partition table. */
  GPT("partition table", 512, "EFI PART"),
  /** Kernel parameters at the end of an initial RAM disk; not found by its first bytes. */
  BOOTCONFIG("bootconfig", 0, ""),
  /** The first partition of a payload disk; has no magic. */
  METADATA("payload metadata", 0, ""),
  /** Bytes without a format. */
  RAW("raw image", 0, "");

  private final String text;
  private final int offset;
  private final byte[] magic;

  ImageFormat(String text, int offset, String magic) {
    this.text = text;
    this.offset = offset;
    this.magic = magic.getBytes(StandardCharsets.ISO_8859_1);
  }

  /**
   * Tells the format by its magic; {@link #RAW} if there is none. Only the magic is looked at.
   *
   * @throws IOException if the source cannot be read
   */
  public static ImageFormat of(ImageSource source) throws IOException {
    for (ImageFormat format : values()) {
      if (format.magic.length > 0 && format.isAt(source)) {
        return format;
      }
    }
    return RAW;
  }

  private boolean isAt(ImageSource source) throws IOException {
    return source.size() >= offset + magic.length
        && Arrays.equals(source.readRange(offset, magic.length), magic);
  }

  /** A copy of the bytes that such an image begins with, or has at its fixed place. */
  public byte[] magic() {
    return magic.clone();
  }

  /** The name for people. */
  @Override
  public String toString() {
    return text;
  }
}
