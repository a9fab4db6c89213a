package io.github.avf4j.attestation.avb;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.attestation.verity.VerityHash;
import java.io.IOException;
import java.security.MessageDigest;
import java.util.Optional;

/**
 * The digest of a whole partition: {@code HASH(salt || image[0 .. imageSize))}.
 *
 * @param imageSize in bytes, unsigned
 * @param hashAlgorithm {@code sha256} or {@code sha512}
 * @param partitionName without A/B suffix
 * @param salt any bytes
 * @param digest empty for a persistent digest, which only a device knows
 * @param flags see {@link #DO_NOT_USE_AB}
 */
public record HashDescriptor(
    long imageSize,
    String hashAlgorithm,
    String partitionName,
    ByteSlice salt,
    ByteSlice digest,
    int flags)
    implements AvbDescriptor.OfPartition {
  /** The flag of a partition without A/B suffix. */
  public static final int DO_NOT_USE_AB = 1;

  static final long TAG = 2;
  private static final int FIXED = 132;

  static HashDescriptor read(ByteSlice bytes) {
    DescriptorReader in = new DescriptorReader(bytes, FIXED);
    String name = in.text(in.u32(56));
    ByteSlice salt = in.part(in.u32(60));
    ByteSlice digest = in.part(in.u32(64));
    in.end();
    return new HashDescriptor(in.u64(16), in.paddedName(24, 32), name, salt, digest, in.bits32(68));
  }

  /** The hash function, if it is one that libavb takes here. */
  public Optional<VerityHash> hash() {
    return VerityHash.named(hashAlgorithm)
        .filter(hash -> hash == VerityHash.SHA256 || hash == VerityHash.SHA512);
  }

  /**
   * Computes the digest that an image has under this salt and size.
   *
   * @throws java.io.EOFException if the image has fewer than {@code imageSize} bytes
   * @throws AvbException of kind DESCRIPTOR_VALUE if the hash function is not taken here
   */
  public ByteSlice digestOf(ImageSource image) throws IOException {
    VerityHash function =
        hash()
            .orElseThrow(
                () ->
                    new AvbException(
                        AvbException.Kind.DESCRIPTOR_VALUE,
                        "a hash descriptor cannot use \"" + hashAlgorithm + "\""));
    image.requireInside(0, imageSize);
    MessageDigest running = function.newDigest();
    running.update(salt.asByteBuffer());
    image.digest(running, 0, imageSize);
    return ByteSlice.takeOver(running.digest());
  }

  @Override
  public long tag() {
    return TAG;
  }

  @Override
  public int requiredMinor() {
    return digest.isEmpty() || (flags & DO_NOT_USE_AB) != 0 ? 1 : 0;
  }

  @Override
  public byte[] encode() {
    byte[] name = DescriptorWriter.utf8(partitionName);
    return new DescriptorWriter(TAG, FIXED, (long) name.length + salt.length() + digest.length())
        .u64(imageSize)
        .hashName(hashAlgorithm)
        .u32(name.length)
        .u32(salt.length())
        .u32(digest.length())
        .u32(flags)
        .skip(60)
        .bytes(name)
        .bytes(salt)
        .bytes(digest)
        .done();
  }
}
