package io.github.avf4j.microdroid.apex;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.avb.AvbAlgorithm;
import io.github.avf4j.attestation.avb.AvbFooter;
import io.github.avf4j.attestation.avb.AvbSigner;
import io.github.avf4j.attestation.avb.HashtreeFooter;
import io.github.avf4j.attestation.avb.PropertyDescriptor;
import io.github.avf4j.attestation.avb.VbmetaBuilder;
import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.attestation.verity.VerityHash;
import io.github.avf4j.microdroid.apk.PackageSigner;
import io.github.avf4j.microdroid.apk.SigningKey;
import io.github.avf4j.microdroid.erofs.ErofsTree;
import io.github.avf4j.microdroid.erofs.ErofsWriter;
import io.github.avf4j.microdroid.image.AtomicFile;
import io.github.avf4j.microdroid.image.Progress;
import io.github.avf4j.microdroid.internal.AndroidManifestXml;
import io.github.avf4j.microdroid.internal.StoredZip;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Makes APEX files: a folder becomes an EROFS image with a dm-verity tree (SHA-256) and a signature
 * of AVB, and goes into a zip with manifest and key.
 *
 * <p>The same input makes the same bytes, unless the outer signature is one of ECDSA, which is
 * random. The salt of the tree is the digest of the manifest. Memory does not depend on the size of
 * the payload; on disk, up to three times its size is needed while it is made.
 *
 * <p>Confined to one thread.
 */
public final class ApexWriter {
  /** The parts of the work, of which each counts the same. */
  private static final int FILE_SYSTEM = 0;

  private static final int TREE = 1;
  private static final int ZIP = 2;
  private static final int CHECK = 3;
  private static final int PARTS = 4;

  private final ApexManifest manifest;
  private final AvbSigner signer;
  private int uid;
  private int gid;
  private long mtime;
  private @Nullable SigningKey outer;

  /**
   * Starts an APEX.
   *
   * @param signer the key of the payload, RSA of 2048, 4096 or 8192 bits
   */
  public ApexWriter(ApexManifest manifest, AvbSigner signer) {
    this.manifest = manifest;
    this.signer = signer;
  }

  /** Sets the owner of all files. Default: 0, 0. */
  public ApexWriter owner(int user, int group) {
    this.uid = user;
    this.gid = group;
    return this;
  }

  /** Sets the time of all files, in seconds since 1970. Default: 0. */
  public ApexWriter mtime(long seconds) {
    this.mtime = seconds;
    return this;
  }

  /** Signs the whole file, too, as an APK. */
  public ApexWriter outerSignedBy(SigningKey key) {
    this.outer = key;
    return this;
  }

  /**
   * Makes an APEX and verifies it. Blocks until done; the file appears whole or not at all.
   *
   * @param payload the folder; the manifest is added to it in the image
   * @throws ApexException if the folder holds another manifest, or it becomes too large
   * @throws io.github.avf4j.microdroid.image.ImageException if it holds what EROFS images of this
   *     library cannot
   * @throws io.github.avf4j.attestation.avb.AvbException if the key cannot sign
   * @throws io.github.avf4j.microdroid.apk.ApkException if the outer key cannot sign
   * @throws IOException if a file cannot be read or written
   */
  public VerifiedApex write(Path payload, Path apex, Progress progress) throws IOException {
    byte[] encoded = manifest.encode();
    ErofsTree tree = tree(payload, encoded);
    try (AtomicFile out = AtomicFile.create(apex)) {
      Path image = out.scratch("payload");
      new ErofsWriter(mtime, "").write(tree, image, part(FILE_SYSTEM, progress));
      hideFooter(image);
      addFooter(image, encoded);
      part(TREE, progress).at(1, 1);
      Path zip = out.scratch("zip");
      writeZip(zip, image, encoded, part(ZIP, progress));
      Files.delete(image);
      Path made = zip;
      SigningKey key = outer;
      if (key != null) {
        made = out.scratch("signed");
        PackageSigner.sign(zip, key, made, null);
        Files.delete(zip);
      }
      part(CHECK, progress).at(0, 1);
      VerifiedApex verified;
      try (FileChannel file = FileChannel.open(made)) {
        verified = ApexVerifier.verify(ImageSource.of(file), key != null);
      }
      out.commit(made);
      part(CHECK, progress).at(1, 1);
      return verified;
    }
  }

  private ErofsTree tree(Path payload, byte[] encoded) throws IOException {
    Path existing = payload.resolve(ApexFile.MANIFEST);
    ErofsTree tree = ErofsTree.of(payload, uid, gid);
    if (!Files.exists(existing, LinkOption.NOFOLLOW_LINKS)) {
      return tree.file(ApexFile.MANIFEST, encoded, 0644, uid, gid);
    }
    if (!Files.isRegularFile(existing, LinkOption.NOFOLLOW_LINKS)
        || Files.size(existing) != encoded.length
        || !Arrays.equals(Files.readAllBytes(existing), encoded)) {
      throw new ApexException(
          ApexError.REQUEST, existing + " is not the manifest that was given: remove it");
    }
    return tree;
  }

  /**
   * Appends a block if the image ends like one that AVB signed, because a file in it does: what
   * appends the footer would cut that one off.
   */
  private static void hideFooter(Path image) throws IOException {
    try (FileChannel file =
        FileChannel.open(image, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      if (AvbFooter.find(ImageSource.of(file)).isPresent()) {
        ByteBuffer block = ByteBuffer.allocate(ApexPayload.PAGE);
        long end = file.size();
        while (block.hasRemaining()) {
          file.write(block, end + block.position());
        }
      }
    }
  }

  private void addFooter(Path image, byte[] encoded) throws IOException {
    ByteSlice salt = ByteSlice.takeOver(VerityHash.SHA256.newDigest().digest(encoded));
    VbmetaBuilder vbmeta =
        new VbmetaBuilder()
            .signedBy(signer, algorithm(signer))
            .add(PropertyDescriptor.of("apex.key", manifest.name()));
    HashtreeFooter.forPartition("").hash(VerityHash.SHA256).salt(salt).addTo(image, vbmeta);
  }

  private static AvbAlgorithm algorithm(AvbSigner signer) {
    return switch (signer.publicKey().bits()) {
      case 2048 -> AvbAlgorithm.SHA256_RSA2048;
      case 4096 -> AvbAlgorithm.SHA256_RSA4096;
      default -> AvbAlgorithm.SHA256_RSA8192;
    };
  }

  private void writeZip(Path zip, Path image, byte[] encoded, Progress progress)
      throws IOException {
    try (FileChannel out =
            FileChannel.open(
                zip,
                StandardOpenOption.CREATE_NEW,
                StandardOpenOption.READ,
                StandardOpenOption.WRITE);
        FileChannel payload = FileChannel.open(image)) {
      StoredZip writer = new StoredZip(out, why -> new ApexException(ApexError.REQUEST, why));
      byte[] android = AndroidManifestXml.encode(manifest.name(), manifest.version());
      writer.add("AndroidManifest.xml", ImageSource.of(android), 1, Progress.NONE);
      writer.add(ApexFile.MANIFEST, ImageSource.of(encoded), 1, Progress.NONE);
      ByteSlice key = signer.publicKey().blob();
      writer.add(ApexFile.PUBLIC_KEY, ImageSource.of(key), 1, Progress.NONE);
      writer.add(ApexFile.PAYLOAD, ImageSource.of(payload), ApexPayload.PAGE, progress);
      writer.finish();
    }
  }

  private static Progress part(int index, Progress progress) {
    return (done, total) -> progress.at(index * total + done, PARTS * total);
  }
}
