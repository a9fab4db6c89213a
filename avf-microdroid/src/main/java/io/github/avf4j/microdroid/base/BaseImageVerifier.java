package io.github.avf4j.microdroid.base;

import io.github.avf4j.BaseImageException;
import io.github.avf4j.BaseImageException.Reason;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.avb.AvbException;
import io.github.avf4j.attestation.avb.AvbPublicKey;
import io.github.avf4j.attestation.avb.ImageReport;
import io.github.avf4j.attestation.avb.ImageVerifier;
import io.github.avf4j.attestation.avb.VbmetaImage;
import io.github.avf4j.attestation.pvmfw.PayloadVerifier;
import io.github.avf4j.attestation.pvmfw.PvmfwError;
import io.github.avf4j.attestation.pvmfw.PvmfwException;
import io.github.avf4j.attestation.pvmfw.PvmfwRevision;
import io.github.avf4j.attestation.pvmfw.VerifiedPayload;
import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.microdroid.boot.Bootconfig;
import io.github.avf4j.microdroid.image.ImageException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Checks that the files of a base image belong together and that one key signed them, as firmware
 * and guest do it later: what is wrong is known before a machine is made, and by which file.
 *
 * <p>No machine relies on it: each boot is verified again. Confined to one thread, which blocks
 * while all files are read.
 */
public final class BaseImageVerifier {
  private static final String PARTITION = SystemImage.PARTITION;

  private final BaseImage image;
  private final AvbPublicKey key;

  private BaseImageVerifier(BaseImage image, AvbPublicKey key) {
    this.image = image;
    this.key = key;
  }

  /**
   * Checks all files of an image.
   *
   * @return what the firmware knows of a guest that cannot be debugged
   * @throws BaseImageException that says which file is wrong and what to do
   */
  public static VerifiedPayload verify(BaseImage image, AvbPublicKey key) {
    try {
      return new BaseImageVerifier(image, key).verify();
    } catch (IOException e) {
      throw new BaseImageException(
          Reason.PART_MISSING,
          "the base image " + image.folder() + " cannot be read (" + e + "): check its files",
          e);
    }
  }

  private VerifiedPayload verify() throws IOException {
    VerifiedPayload normal = guest(false);
    guest(true);
    system();
    return normal;
  }

  private VerifiedPayload guest(boolean debuggable) throws IOException {
    Path ramdisk = image.initrd(debuggable);
    try {
      VerifiedPayload guest = guest(image, List.of(key), debuggable);
      if (guest.debuggable() != debuggable) {
        throw mismatch(ramdisk, "it is the RAM disk of the other kind of guest", null);
      }
      return guest;
    } catch (PvmfwException e) {
      if (e.error() == PvmfwError.AVB_PUBLIC_KEY_REJECTED) {
        throw wrongKey(image.kernel(), e);
      }
      throw mismatch(image.kernel(), "with " + ramdisk.getFileName() + ": " + e.getMessage(), e);
    }
  }

  /** What the firmware knows of one of the two kinds of guest. */
  static VerifiedPayload guest(BaseImage image, List<AvbPublicKey> keys, boolean debuggable)
      throws IOException {
    try (FileChannel kernel = FileChannel.open(image.kernel());
        FileChannel initrd = FileChannel.open(image.initrd(debuggable))) {
      return new PayloadVerifier(keys, PvmfwRevision.MARCH_2025)
          .verify(ImageSource.of(kernel), ImageSource.of(initrd));
    }
  }

  private void system() throws IOException {
    VbmetaImage vbmeta = vbmeta(image.vbmeta());
    String digest = BootconfigLines.digestLine(vbmeta);
    for (boolean debuggable : new boolean[] {false, true}) {
      Path ramdisk = image.initrd(debuggable);
      if (bootconfig(ramdisk).lines().noneMatch(digest::equals)) {
        throw mismatch(
            image.vbmeta(), "it is not the one that " + ramdisk.getFileName() + " names", null);
      }
    }
    if (!vbmeta(image.system()).bytes().equals(vbmeta.bytes())) {
      throw mismatch(
          image.system(), "its footer has another vbmeta image than " + BaseImage.VBMETA, null);
    }
    ImageReport report =
        new ImageVerifier()
            .expectedKey(key)
            .partition(PARTITION, image.system())
            .verify(image.vbmeta());
    if (!report.isOk()) {
      throw mismatch(image.system(), report.decisive().toString(), null);
    }
  }

  private VbmetaImage vbmeta(Path file) throws IOException {
    VbmetaImage vbmeta;
    try (FileChannel channel = FileChannel.open(file)) {
      vbmeta = VbmetaImage.find(ImageSource.of(channel));
    } catch (AvbException e) {
      throw mismatch(file, String.valueOf(e.getMessage()), e);
    }
    ByteSlice signer = vbmeta.publicKey();
    if (!signer.equals(key.blob())) {
      throw wrongKey(file, null);
    }
    return vbmeta;
  }

  private String bootconfig(Path ramdisk) throws IOException {
    try (FileChannel channel = FileChannel.open(ramdisk)) {
      return Bootconfig.find(ImageSource.of(channel)).map(Bootconfig::text).orElse("");
    } catch (ImageException e) {
      throw mismatch(ramdisk, String.valueOf(e.getMessage()), e);
    }
  }

  private BaseImageException wrongKey(Path file, @Nullable Exception cause) {
    return new BaseImageException(
        Reason.WRONG_KEY,
        "the base image's file %s is not signed with the trusted key, whose SHA-1 is %s: give the"
                .formatted(file, key.sha1())
            + " public key of whoever signed it, or build it again with the right one",
        cause);
  }

  private static BaseImageException mismatch(Path file, String why, @Nullable Exception cause) {
    return new BaseImageException(
        Reason.PART_MISMATCH,
        "the base image's file %s is not what was signed (%s): build the image again"
            .formatted(file, why),
        cause);
  }
}
