package io.github.avf4j.attestation.avb;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.avb.AvbException.Kind;
import java.security.MessageDigest;
import java.util.Optional;

/** Checks the signature of a vbmeta image, like libavb: first failure wins. Thread-safe. */
public final class VbmetaVerifier {
  private VbmetaVerifier() {}

  /** The results of libavb, by its names. */
  public enum Status {
    /** The signature is valid for the key in the image; nothing says that the key is trusted. */
    OK,
    /** The image is sound but has no signature. */
    OK_NOT_SIGNED,
    /** The image is damaged. */
    INVALID_VBMETA_HEADER,
    /** The image needs a newer libavb. */
    UNSUPPORTED_VERSION,
    /** The stored digest is not that of the image. */
    HASH_MISMATCH,
    /** The signature does not hold, or the key cannot be used. */
    SIGNATURE_MISMATCH
  }

  /**
   * What was found.
   *
   * @param status the result
   * @param reason what led to it, in words
   * @param image present if the header is sound
   */
  public record Result(Status status, String reason, Optional<VbmetaImage> image) {
    /** Whether the status is {@link Status#OK}. */
    public boolean isOk() {
      return status == Status.OK;
    }
  }

  /** Checks the image at the start of the bytes. Throws nothing, whatever they are. */
  public static Result verify(ByteSlice data) {
    VbmetaImage image;
    try {
      image = VbmetaImage.parse(data);
    } catch (AvbException e) {
      Status status =
          e.kind() == Kind.VERSION ? Status.UNSUPPORTED_VERSION : Status.INVALID_VBMETA_HEADER;
      return new Result(status, e.getMessage(), Optional.empty());
    }
    return verify(image);
  }

  /** Checks an image that has been read. */
  public static Result verify(VbmetaImage image) {
    Optional<AvbAlgorithm> known = image.algorithm();
    if (known.isEmpty()) {
      return result(
          Status.INVALID_VBMETA_HEADER,
          "algorithm " + image.header().algorithm() + " is unknown",
          image);
    }
    AvbAlgorithm algorithm = known.get();
    if (!algorithm.isSigned()) {
      return result(Status.OK_NOT_SIGNED, "the image is not signed", image);
    }
    if (image.hash().length() != algorithm.hashSize()) {
      return result(
          Status.INVALID_VBMETA_HEADER,
          "the digest of %s has %d bytes but here are %d"
              .formatted(algorithm, algorithm.hashSize(), image.hash().length()),
          image);
    }
    MessageDigest digest = algorithm.newDigest();
    digest.update(image.bytes().slice(0, VbmetaHeader.SIZE).asByteBuffer());
    digest.update(image.auxiliaryBlock().asByteBuffer());
    byte[] computed = digest.digest();
    if (!image.hash().contentEquals(computed)) {
      return result(
          Status.HASH_MISMATCH,
          "the stored digest is not that of header and auxiliary block",
          image);
    }
    try {
      AvbPublicKey key = AvbPublicKey.parse(image.publicKey());
      return key.verify(algorithm, computed, image.signature())
          ? result(Status.OK, "the signature is valid", image)
          : result(Status.SIGNATURE_MISMATCH, "the signature is not valid", image);
    } catch (AvbException e) {
      return result(Status.SIGNATURE_MISMATCH, e.getMessage(), image);
    }
  }

  private static Result result(Status status, String reason, VbmetaImage image) {
    return new Result(status, reason, Optional.of(image));
  }
}
