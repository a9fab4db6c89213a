package io.github.avf4j.microdroid.apk;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.microdroid.image.ImageView;
import java.io.IOException;
import java.util.Optional;

/**
 * The zip of a package that is no APK, such as an APEX, under the rules for APKs: what two readers
 * could understand in two ways is refused, whether the package is signed or not.
 *
 * <p>Entries that were read stay as they were read: {@link #verifySignature} judges those bytes.
 * Confined to one thread.
 */
public final class PackageZip {
  private final ApkFile file;

  private PackageZip(ApkFile file) {
    this.file = file;
  }

  /**
   * Reads and checks the structure.
   *
   * @throws ApkException if it is refused
   * @throws IOException if it cannot be read
   */
  public static PackageZip open(ImageSource file) throws IOException {
    return new PackageZip(ApkFile.open(file));
  }

  /** The entry of this name. */
  public Optional<ZipEntry> find(String name) {
    return file.directory().find(name);
  }

  /**
   * Reads and unpacks an entry.
   *
   * @throws ApkException of the error ENTRY if it is longer than {@code maxBytes} or not what the
   *     zip says
   * @throws IOException if it cannot be read
   */
  public ByteSlice read(ZipEntry entry, int maxBytes) throws IOException {
    return file.read(entry, maxBytes, ApkError.ENTRY);
  }

  /**
   * The bytes of a stored entry; nothing is read yet, and nobody compares them with the checksum.
   *
   * @throws ApkException of the error ENTRY if it is compressed
   */
  public ImageSource image(ZipEntry entry) throws IOException {
    if (!entry.isStored()) {
      throw new ApkException(
          ApkError.ENTRY, entry.name() + " must be stored uncompressed", entry.position());
    }
    return ImageView.part(file.file(), entry.dataOffset(), entry.size());
  }

  /**
   * Verifies the package's signature, as of an APK. Reads the whole file.
   *
   * @return empty if there is no signature of any scheme
   * @throws ApkException if there is one that does not count or does not verify
   * @throws IOException if the file cannot be read
   */
  public Optional<VerifiedApk> verifySignature(ApkPolicy policy) throws IOException {
    try {
      return Optional.of(ApkVerifier.verify(file, policy));
    } catch (ApkException e) {
      if (e.error() == ApkError.NOT_SIGNED) {
        return Optional.empty();
      }
      throw e;
    }
  }
}
