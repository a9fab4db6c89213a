package io.github.avf4j.attestation.avb;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.internal.Digests;
import java.security.MessageDigest;
import java.util.List;

/**
 * What a verification of a slot found. Immutable and thread-safe.
 *
 * @param status the result
 * @param reason what led to it, in words
 * @param images the vbmeta images whose signatures hold, in the order of loading
 * @param partitions the partitions that were loaded
 * @param rollbackIndexes 32 indexes by location, unsigned; 0 where none was seen
 */
public record SlotVerification(
    Status status,
    String reason,
    List<LoadedVbmeta> images,
    List<LoadedPartition> partitions,
    long[] rollbackIndexes) {

  /** The results of libavb, by its names. */
  public enum Status {
    /** All that was asked for is verified. */
    OK,
    /** Memory ran out; never given here. */
    ERROR_OOM,
    /** Something could not be read, or is shorter than it must be. */
    ERROR_IO,
    /** A signature or a digest does not hold. */
    ERROR_VERIFICATION,
    /** The image is older than one that ran before. */
    ERROR_ROLLBACK_INDEX,
    /** The signature holds, but the key is not trusted. */
    ERROR_PUBLIC_KEY_REJECTED,
    /** Metadata is damaged or contradicts itself. */
    ERROR_INVALID_METADATA,
    /** A newer libavb is needed. */
    ERROR_UNSUPPORTED_VERSION,
    /** The caller made a mistake; never given here. */
    ERROR_INVALID_ARGUMENT
  }

  /**
   * A vbmeta image and where it came from.
   *
   * @param partitionName without suffix
   * @param image the image
   */
  public record LoadedVbmeta(String partitionName, VbmetaImage image) {}

  /**
   * A partition that was asked for.
   *
   * @param name without suffix
   * @param size the bytes that count
   * @param verified false if the top-level image turns verification off
   */
  public record LoadedPartition(String name, long size, boolean verified) {}

  /** Copies lists and array. */
  public SlotVerification {
    images = List.copyOf(images);
    partitions = List.copyOf(partitions);
    rollbackIndexes = rollbackIndexes.clone();
  }

  /** A copy of the indexes. */
  @Override
  public long[] rollbackIndexes() {
    return rollbackIndexes.clone();
  }

  /** Whether the status is {@link Status#OK}. */
  public boolean isOk() {
    return status == Status.OK;
  }

  /** SHA-256 over all vbmeta images in the order of loading: the vbmeta digest. */
  public ByteSlice vbmetaDigest() {
    MessageDigest digest = Digests.sha256();
    for (LoadedVbmeta loaded : images) {
      digest.update(loaded.image().bytes().asByteBuffer());
    }
    return ByteSlice.takeOver(digest.digest());
  }
}
