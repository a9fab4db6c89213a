package io.github.avf4j.microdroid.boot;

import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.microdroid.image.ImageException;
import io.github.avf4j.microdroid.image.ImageFormat;
import io.github.avf4j.microdroid.image.ImageView;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * A boot image of header version 0 to 4: kernel, generic ramdisk, and what older versions had
 * besides. An {@code init_boot} image is one of version 4 without kernel. Immutable and
 * thread-safe.
 *
 * <p>Bytes after the parts are ignored up to an AVB footer, which is found but not verified here.
 *
 * @param version of the header, 0..4
 * @param pageSize what parts are padded to, in bytes
 * @param osVersion of Android
 * @param commandLine for the kernel, up to its NUL; from version 0 to 2 both fields joined
 * @param name of the board; empty from version 3 on
 * @param kernel compressed in any way or not at all
 * @param ramdisk the generic one
 * @param second a second boot loader, before version 3
 * @param recoveryDtbo device tree overlays for recovery, versions 1 and 2
 * @param dtb the device tree of version 2
 * @param signature version 4's boot signature
 * @param end where the last part ends, with its padding
 */
public record BootImage(
    int version,
    int pageSize,
    OsVersion osVersion,
    String commandLine,
    String name,
    ImagePart kernel,
    ImagePart ramdisk,
    ImagePart second,
    ImagePart recoveryDtbo,
    ImagePart dtb,
    ImagePart signature,
    long end) {
  /** The page size from version 3 on. */
  public static final int PAGE_SIZE = 4096;

  static final int COMMAND_LINE = 1536;
  static final int HEADER_V3 = 1580;
  static final int HEADER_V4 = 1584;

  /** What the tools of Android 11 wrote by mistake; the header is no longer for that. */
  private static final int HEADER_V3_ANDROID_11 = 1596;

  private static final int HEADER_V0 = 1632;
  private static final int HEADER_V1 = 1648;
  private static final int HEADER_V2 = 1660;
  private static final int VERSION_AT = 40;
  private static final int MAX_VERSION = 4;
  private static final ImagePart NONE = new ImagePart(0, 0);

  /** Whether this is the image of a generic ramdisk alone. */
  public boolean isInitBoot() {
    return kernel.isEmpty() && !ramdisk.isEmpty();
  }

  /**
   * Reads the header and checks that all parts lie inside the image, or before its AVB footer.
   *
   * @throws ImageException if that is not so, or the version is unknown
   */
  public static BootImage read(ImageSource source) throws IOException {
    ImageView in = new ImageView(ImageFormat.BOOT, source);
    if (ImageFormat.of(source) != ImageFormat.BOOT) {
      throw in.refused("the magic must be \"ANDROID!\"", 0);
    }
    int version = in.read(VERSION_AT, Integer.BYTES, "the version").getInt();
    if (version < 0 || version > MAX_VERSION) {
      throw in.refused(
          "header version %s is unknown: 0 to 4 are".formatted(Integer.toUnsignedString(version)),
          VERSION_AT);
    }
    return version < 3 ? readOld(in, version) : readNew(in, version);
  }

  private static BootImage readNew(ImageView in, int version) throws IOException {
    int size = version == 3 ? HEADER_V3 : HEADER_V4;
    ByteBuffer header = in.read(0, size, "the header");
    if (version == 4 || header.getInt(20) != HEADER_V3_ANDROID_11) {
      requireSize(in, header, 20, size);
    }
    Parts parts = new Parts(in, PAGE_SIZE, size);
    ImagePart kernel = parts.next(header.getInt(8), "the kernel");
    ImagePart ramdisk = parts.next(header.getInt(12), "the ramdisk");
    ImagePart signature =
        version == 3 ? NONE : parts.next(header.getInt(HEADER_V3), "the boot signature");
    return new BootImage(
        version,
        PAGE_SIZE,
        OsVersion.unpack(header.getInt(16)),
        HeaderText.read(header, 44, COMMAND_LINE),
        "",
        kernel,
        ramdisk,
        NONE,
        NONE,
        NONE,
        signature,
        parts.end());
  }

  private static BootImage readOld(ImageView in, int version) throws IOException {
    int size = version == 0 ? HEADER_V0 : version == 1 ? HEADER_V1 : HEADER_V2;
    ByteBuffer header = in.read(0, size, "the header");
    int pageSize = Parts.pageSize(in, header.getInt(36), 36, size);
    if (version > 0) {
      requireSize(in, header, 1644, size);
    }
    Parts parts = new Parts(in, pageSize, size);
    ImagePart kernel = parts.next(header.getInt(8), "the kernel");
    ImagePart ramdisk = parts.next(header.getInt(16), "the ramdisk");
    ImagePart second = parts.next(header.getInt(24), "the second boot loader");
    ImagePart dtbo =
        version < 1 ? NONE : parts.next(header.getInt(1632), "the recovery device tree overlay");
    if (!dtbo.isEmpty() && header.getLong(1636) != dtbo.offset()) {
      throw in.refused(
          "the recovery device tree overlay must be at byte %d but is said to be at %s"
              .formatted(dtbo.offset(), Long.toUnsignedString(header.getLong(1636))),
          1636);
    }
    ImagePart dtb = version < 2 ? NONE : parts.next(header.getInt(1648), "the device tree");
    return new BootImage(
        version,
        pageSize,
        OsVersion.unpack(header.getInt(44)),
        HeaderText.read(header, 64, 512) + HeaderText.read(header, 608, 1024),
        HeaderText.read(header, 48, 16),
        kernel,
        ramdisk,
        second,
        dtbo,
        dtb,
        NONE,
        parts.end());
  }

  private static void requireSize(ImageView in, ByteBuffer header, int at, int expected) {
    if (header.getInt(at) != expected) {
      throw in.refused(
          "the header of this version has %d bytes but says %s"
              .formatted(expected, Integer.toUnsignedString(header.getInt(at))),
          at);
    }
  }
}
