package io.github.avf4j.microdroid.boot;

import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.microdroid.image.AtomicFile;
import io.github.avf4j.microdroid.image.ImageException;
import io.github.avf4j.microdroid.image.ImageFormat;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;

/**
 * Makes boot images of header version 3 or 4, and {@code init_boot} images: those without a kernel.
 *
 * <p>Sources are read when the image is written. Confined to one thread.
 */
public final class BootImageBuilder {
  private static final ImageSource NOTHING = ImageSource.of(new byte[0]);
  private static final ImageFormat FORMAT = ImageFormat.BOOT;

  private final int version;
  private OsVersion osVersion = OsVersion.NONE;
  private String commandLine = "";
  private ImageSource kernel = NOTHING;
  private ImageSource ramdisk = NOTHING;
  private ImageSource signature = NOTHING;

  /**
   * Starts an empty image.
   *
   * @param version of the header, 3 or 4
   */
  public BootImageBuilder(int version) {
    if (version != 3 && version != 4) {
      throw new ImageException(
          FORMAT, "images of header version 3 and 4 are made, not of " + version);
    }
    this.version = version;
  }

  /** Sets the kernel, compressed or not. */
  public BootImageBuilder kernel(ImageSource kernel) {
    this.kernel = kernel;
    return this;
  }

  /** Sets the generic ramdisk. */
  public BootImageBuilder ramdisk(ImageSource ramdisk) {
    this.ramdisk = ramdisk;
    return this;
  }

  /** Sets the kernel's command line, at most 1535 bytes. */
  public BootImageBuilder commandLine(String commandLine) {
    this.commandLine = commandLine;
    return this;
  }

  /** Sets the version of Android. */
  public BootImageBuilder osVersion(OsVersion osVersion) {
    this.osVersion = osVersion;
    return this;
  }

  /**
   * Sets the boot signature, which version 4 has.
   *
   * @throws ImageException for version 3
   */
  public BootImageBuilder signature(ImageSource signature) {
    if (version < 4) {
      throw new ImageException(FORMAT, "only images of version 4 have a boot signature");
    }
    this.signature = signature;
    return this;
  }

  /**
   * Writes the image.
   *
   * @throws ImageException if a part or the command line is too long
   */
  public void write(Path file) throws IOException {
    int size = version == 3 ? BootImage.HEADER_V3 : BootImage.HEADER_V4;
    ByteBuffer header = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    header.put(FORMAT.magic());
    header.putInt(PageWriter.size(kernel.size(), "the kernel", FORMAT));
    header.putInt(PageWriter.size(ramdisk.size(), "the ramdisk", FORMAT));
    header.putInt(osVersion.pack()).putInt(size);
    header.putInt(40, version);
    HeaderText.write(header, 44, BootImage.COMMAND_LINE, commandLine, FORMAT);
    if (version == 4) {
      header.putInt(
          BootImage.HEADER_V3, PageWriter.size(signature.size(), "the boot signature", FORMAT));
    }
    try (AtomicFile out = AtomicFile.create(file)) {
      PageWriter pages = new PageWriter(out, BootImage.PAGE_SIZE);
      pages.write(header.array());
      pages.pad();
      for (ImageSource part : new ImageSource[] {kernel, ramdisk, signature}) {
        pages.write(part);
        pages.pad();
      }
      out.commit();
    }
  }
}
