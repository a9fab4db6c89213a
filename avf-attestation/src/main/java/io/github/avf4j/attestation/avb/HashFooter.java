package io.github.avf4j.attestation.avb;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.avb.AvbException.Kind;
import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.attestation.verity.VerityHash;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Puts a hash descriptor, a vbmeta image and a footer behind a kernel or ramdisk.
 *
 * <p>Repeating it replaces what an earlier run appended. Confined to one thread.
 */
public final class HashFooter {
  private final String partitionName;
  private VerityHash hash = VerityHash.SHA256;
  private @Nullable ByteSlice salt;
  private long partitionSize;
  private boolean persistentDigest;
  private boolean doNotUseAb;

  /**
   * What was made.
   *
   * @param descriptor the hash descriptor
   * @param vbmeta the vbmeta image
   */
  public record Made(HashDescriptor descriptor, ByteSlice vbmeta) {}

  private HashFooter(String partitionName) {
    this.partitionName = partitionName;
  }

  /** A footer for the partition of this name, with SHA-256 and a random salt. */
  public static HashFooter forPartition(String name) {
    return new HashFooter(name);
  }

  /** Sets the hash: SHA-256 (default) or SHA-512. */
  public HashFooter hash(VerityHash function) {
    if (function != VerityHash.SHA256 && function != VerityHash.SHA512) {
      throw new AvbException(
          Kind.REQUEST, "a hash descriptor uses sha256 or sha512, not " + function.kernelName());
    }
    this.hash = function;
    return this;
  }

  /** Sets the salt. Default: random bytes, as many as the digest has. */
  public HashFooter salt(ByteSlice bytes) {
    this.salt = bytes;
    return this;
  }

  /** Sets the size of the file afterwards, in bytes. Default: just enough for any vbmeta. */
  public HashFooter partitionSize(long bytes) {
    FooterFile.requireBlocks(bytes);
    if (bytes < FooterFile.dynamicPartitionSize(0)) {
      throw new AvbException(
          Kind.REQUEST,
          "the partition size must be at least %d but was %d"
              .formatted(FooterFile.dynamicPartitionSize(0), bytes));
    }
    this.partitionSize = bytes;
    return this;
  }

  /** Leaves the digest out, because a device keeps it. */
  public HashFooter persistentDigest() {
    this.persistentDigest = true;
    return this;
  }

  /** Says that the partition has no A/B suffix. */
  public HashFooter doNotUseAb() {
    this.doNotUseAb = true;
    return this;
  }

  /** The largest image that a partition of this size can hold, in bytes. */
  public static long maxImageSize(long partitionSize) {
    return FooterFile.maxImageSize(partitionSize, 0);
  }

  /** The descriptor of an image, without writing anything. */
  public HashDescriptor describe(ImageSource image) throws IOException {
    ByteSlice usedSalt = salt;
    if (usedSalt == null) {
      usedSalt = persistentDigest ? ByteSlice.EMPTY : randomSalt(hash);
    }
    HashDescriptor draft = descriptor(image.size(), usedSalt, ByteSlice.EMPTY);
    return persistentDigest ? draft : descriptor(image.size(), usedSalt, draft.digestOf(image));
  }

  /**
   * Appends to a file. If writing fails the file gets its original size back.
   *
   * @param vbmeta says how the image is signed and what else stands in it
   * @throws AvbException of kind REQUEST if the image is too large; the file is as before then
   */
  public Made addTo(Path file, VbmetaBuilder vbmeta) throws IOException {
    try (FooterFile image = FooterFile.open(file, true)) {
      Made made = make(image, vbmeta);
      try {
        image.truncateToOriginal();
        image.finish(FooterFile.roundUp(image.originalSize()), made.vbmeta(), size(image));
      } catch (IOException | RuntimeException e) {
        image.truncateToOriginal();
        throw e;
      }
      return made;
    }
  }

  /** Makes the vbmeta image for a file that stays as it is. */
  public Made makeFor(Path file, VbmetaBuilder vbmeta) throws IOException {
    try (FooterFile image = FooterFile.open(file, false)) {
      return make(image, vbmeta);
    }
  }

  private Made make(FooterFile image, VbmetaBuilder vbmeta) throws IOException {
    FooterFile.requireFit(image.originalSize(), maxImageSize(size(image)), size(image));
    HashDescriptor descriptor = describe(image.original());
    return new Made(descriptor, vbmeta.build(List.of(descriptor)));
  }

  private long size(FooterFile image) {
    return partitionSize == 0
        ? FooterFile.dynamicPartitionSize(image.originalSize())
        : partitionSize;
  }

  private HashDescriptor descriptor(long size, ByteSlice usedSalt, ByteSlice digest) {
    return new HashDescriptor(
        size,
        hash.kernelName(),
        partitionName,
        usedSalt,
        digest,
        doNotUseAb ? HashDescriptor.DO_NOT_USE_AB : 0);
  }

  static ByteSlice randomSalt(VerityHash hash) {
    byte[] bytes = new byte[hash.digestSize()];
    new SecureRandom().nextBytes(bytes);
    return ByteSlice.takeOver(bytes);
  }
}
