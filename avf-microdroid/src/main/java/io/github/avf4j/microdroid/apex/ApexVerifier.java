package io.github.avf4j.microdroid.apex;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.avb.AvbException;
import io.github.avf4j.attestation.avb.HashtreeCheck;
import io.github.avf4j.attestation.avb.HashtreeDescriptor;
import io.github.avf4j.attestation.avb.ImageReport;
import io.github.avf4j.attestation.avb.VbmetaVerifier;
import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.attestation.verity.VerityHash;
import io.github.avf4j.microdroid.apk.ApkException;
import io.github.avf4j.microdroid.apk.ApkPolicy;
import io.github.avf4j.microdroid.apk.VerifiedApk;
import io.github.avf4j.microdroid.erofs.ErofsImage;
import io.github.avf4j.microdroid.erofs.ErofsInode;
import io.github.avf4j.microdroid.image.ImageException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Verifies APEX files: structure, signature of the payload, its content, and the outer signature.
 *
 * <p>In this order: what {@link ApexFile#open} checks; the vbmeta image's signature and flags; its
 * key against the one in the zip, byte for byte; the payload against its tree and its checksum; the
 * manifest in the payload; the outer signature. Thread-safe.
 */
public final class ApexVerifier {
  private ApexVerifier() {}

  /**
   * Verifies an APEX. Blocks until done; the payload is read once, and once more for an outer
   * signature.
   *
   * @param requireOuter whether an APEX without outer signature is refused
   * @throws ApexException if it is refused
   * @throws IOException if it cannot be read
   */
  public static VerifiedApex verify(ImageSource file, boolean requireOuter) throws IOException {
    ApexFile apex = ApexFile.open(file);
    ApexPayload payload = apex.payload();
    requireSignature(apex);
    List<String> remarks = new ArrayList<>();
    requireContent(apex, remarks);
    requireSameManifest(apex, remarks);
    Optional<VerifiedApk> outer = outer(apex, requireOuter);
    if (outer.isEmpty()) {
      remarks.add("there is no outer signature: only the payload is signed");
    }
    return new VerifiedApex(
        apex.manifest(),
        apex.publicKey(),
        payload.fileSystem(),
        payload.offset(),
        payload.image().size(),
        payload.hashtree(),
        outer,
        remarks);
  }

  private static void requireSignature(ApexFile apex) {
    ApexPayload payload = apex.payload();
    long position = payload.offset() + payload.vbmetaOffset();
    VbmetaVerifier.Result result = VbmetaVerifier.verify(payload.vbmeta());
    if (result.status() == VbmetaVerifier.Status.OK_NOT_SIGNED) {
      throw new ApexException(ApexError.NOT_SIGNED, "the payload is not signed", position);
    }
    if (!result.isOk()) {
      throw new ApexException(
          ApexError.SIGNATURE, "vbmeta: " + result.status() + ": " + result.reason(), position);
    }
    if (!payload.vbmeta().publicKey().equals(apex.publicKey().blob())) {
      throw new ApexException(
          ApexError.OTHER_KEY,
          "the payload is signed by another key than that in " + ApexFile.PUBLIC_KEY,
          position);
    }
    long flags = payload.vbmeta().header().flags();
    if (flags != 0) {
      throw new ApexException(
          ApexError.VBMETA,
          "the flags of vbmeta must be 0 but are 0x%x".formatted(flags),
          position);
    }
  }

  private static void requireContent(ApexFile apex, List<String> remarks) throws IOException {
    ApexPayload payload = apex.payload();
    HashtreeDescriptor tree = payload.hashtree();
    if (tree.hashAlgorithm().equals(VerityHash.SHA1.kernelName())) {
      remarks.add("the hash tree is one of SHA-1, which is broken: make it anew with SHA-256");
    }
    PayloadChecksum checksum = new PayloadChecksum(payload.image(), tree.imageSize());
    ImageReport.Check check;
    try {
      check = HashtreeCheck.check("hash tree", tree, payload.image(), checksum);
    } catch (AvbException e) {
      throw ApexException.of(ApexError.DESCRIPTOR, e, 0);
    }
    if (!check.passed()) {
      throw new ApexException(ApexError.HASH_TREE, "payload: " + check.detail(), payload.offset());
    }
    if (checksum.finish() != apex.payloadChecksum()) {
      throw new ApexException(
          ApexError.CHECKSUM, "the payload has another checksum than the zip says");
    }
  }

  /** Holds the manifest of the zip, which no key of the payload signs, against the signed one. */
  private static void requireSameManifest(ApexFile apex, List<String> remarks) throws IOException {
    ApexPayload payload = apex.payload();
    if (payload.fileSystem() != PayloadFileSystem.EROFS) {
      remarks.add(
          "the manifest in the payload was not compared: %s is not read here"
              .formatted(payload.fileSystem()));
      return;
    }
    try {
      ErofsImage image =
          ErofsImage.open(ImageSource.prefix(payload.image(), payload.hashtree().imageSize()));
      ErofsInode inode =
          image
              .find(ApexFile.MANIFEST)
              .filter(ErofsInode::isRegular)
              .orElseThrow(() -> inner("there is no %s in the payload"));
      if (!inode.isFlat()) {
        remarks.add("the manifest in the payload was not compared: it is compressed");
        return;
      }
      ByteSlice expected = apex.manifestBytes();
      if (inode.size() != expected.length()
          || !expected.contentEquals(image.data(inode).readRange(0, expected.length()))) {
        throw inner("%s in the payload is not that in the zip");
      }
    } catch (ImageException e) {
      long position = e.position().isPresent() ? payload.offset() + e.position().getAsLong() : -1;
      throw new ApexException(ApexError.FILE_SYSTEM, "payload: " + e.reason(), position, e);
    }
  }

  private static ApexException inner(String reason) {
    return new ApexException(ApexError.INNER_MANIFEST, reason.formatted(ApexFile.MANIFEST));
  }

  private static Optional<VerifiedApk> outer(ApexFile apex, boolean required) throws IOException {
    Optional<VerifiedApk> outer;
    try {
      outer = apex.zip().verifySignature(ApkPolicy.DEFAULT);
    } catch (ApkException e) {
      throw new ApexException(
          ApexError.OUTER_SIGNATURE, "outer signature: " + e.reason(), e.position().orElse(-1), e);
    }
    if (outer.isEmpty() && required) {
      throw new ApexException(
          ApexError.NO_OUTER_SIGNATURE, "there is no outer signature, which is required");
    }
    return outer;
  }
}
