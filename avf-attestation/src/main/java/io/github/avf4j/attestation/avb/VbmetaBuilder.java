package io.github.avf4j.attestation.avb;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.avb.AvbException.Kind;
import io.github.avf4j.attestation.avb.VbmetaHeader.Range;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Makes vbmeta images whose bytes are those of avbtool 1.3.0 for the same input.
 *
 * <p>Descriptors stand in avbtool's order whatever the order of the calls: hash and hashtree,
 * chains, properties, kernel command lines, others, then those taken from images (first those
 * without a partition as met, then the others sorted by kind and partition, the last of equals
 * only). Confined to one thread; {@link #build} may be called repeatedly.
 */
public final class VbmetaBuilder {
  /** The release string that avbtool of the revision that this package follows writes. */
  public static final String DEFAULT_RELEASE_STRING = "avbtool 1.3.0";

  private static final int RELEASE_MAX = 47;

  private final List<AvbDescriptor> descriptors = new ArrayList<>();
  private final List<AvbDescriptor> includedAnonymous = new ArrayList<>();
  private final TreeMap<String, AvbDescriptor> includedByPartition = new TreeMap<>();
  private AvbAlgorithm algorithm = AvbAlgorithm.NONE;
  private @Nullable AvbSigner signer;
  private ByteSlice publicKeyMetadata = ByteSlice.EMPTY;
  private long rollbackIndex;
  private int rollbackIndexLocation;
  private int flags;
  private String releaseString = DEFAULT_RELEASE_STRING;
  private long requiredMinor;

  /** Starts an image without descriptors that is not signed. */
  public VbmetaBuilder() {}

  /** Signs the image; without this call it is of algorithm NONE and carries no key. */
  public VbmetaBuilder signedBy(AvbSigner signer, AvbAlgorithm algorithm) {
    if (signer.publicKey().bits() != algorithm.keyBits()) {
      throw new AvbException(
          Kind.KEY,
          "%s needs a key of %d bits but this has %d"
              .formatted(algorithm, algorithm.keyBits(), signer.publicKey().bits()));
    }
    this.signer = signer;
    this.algorithm = algorithm;
    return this;
  }

  /** Puts bytes about the key next to it. */
  public VbmetaBuilder publicKeyMetadata(ByteSlice metadata) {
    this.publicKeyMetadata = metadata;
    return this;
  }

  /** Sets the rollback index, unsigned. Default: 0. */
  public VbmetaBuilder rollbackIndex(long index) {
    this.rollbackIndex = index;
    return this;
  }

  /** Sets where a top-level image's rollback index is stored, 0..31. Default: 0. */
  public VbmetaBuilder rollbackIndexLocation(int location) {
    if (location < 0 || location > 31) {
      throw new AvbException(
          Kind.REQUEST, "the rollback index location must be in 0..31 but was " + location);
    }
    this.rollbackIndexLocation = location;
    return this;
  }

  /** Sets the flags of the header. Default: 0. */
  public VbmetaBuilder flags(int flags) {
    this.flags = flags;
    return this;
  }

  /** Replaces {@link #DEFAULT_RELEASE_STRING}; only 47 bytes are written. */
  public VbmetaBuilder releaseString(String text) {
    this.releaseString = text;
    return this;
  }

  /** Appends a space and a text to the release string. */
  public VbmetaBuilder appendToReleaseString(String text) {
    this.releaseString += " " + text;
    return this;
  }

  /** Adds a descriptor. */
  public VbmetaBuilder add(AvbDescriptor descriptor) {
    descriptors.add(descriptor);
    return this;
  }

  /**
   * Takes over all descriptors of an image, and the version of libavb that it needs.
   *
   * @throws AvbException if one cannot be read
   */
  public VbmetaBuilder includeDescriptorsOf(VbmetaImage image) {
    requiredMinor = Math.max(requiredMinor, image.header().requiredMinor());
    for (AvbDescriptor descriptor : image.descriptors()) {
      if (descriptor instanceof AvbDescriptor.OfPartition ofPartition) {
        includedByPartition.put(sortKey(ofPartition), descriptor);
      } else {
        includedAnonymous.add(descriptor);
      }
    }
    return this;
  }

  /**
   * Makes the image.
   *
   * @throws AvbException of kind REQUEST if it had more than 64 KiB, of kind KEY if the signer
   *     fails
   */
  public ByteSlice build() {
    return build(List.of());
  }

  /** Makes the image with further descriptors before the others of their kind. */
  ByteSlice build(List<AvbDescriptor> first) {
    Descriptors all = encode(ordered(first));
    ByteSlice key = signer == null ? ByteSlice.EMPTY : signer.publicKey().blob();
    long auxiliarySize = roundTo64(all.size + key.length() + publicKeyMetadata.length());
    long authenticationSize = roundTo64(algorithm.hashSize() + algorithm.signatureSize());
    requireReadable(VbmetaHeader.SIZE + authenticationSize + auxiliarySize);
    int keyAt = (int) all.size;
    int metadataAt = keyAt + key.length();
    VbmetaHeader header =
        new VbmetaHeader(
            1,
            all.requiredMinor,
            authenticationSize,
            auxiliarySize,
            algorithm.number(),
            new Range(0, algorithm.hashSize()),
            new Range(algorithm.hashSize(), algorithm.signatureSize()),
            new Range(keyAt, key.length()),
            new Range(metadataAt, publicKeyMetadata.length()),
            new Range(0, all.size),
            rollbackIndex,
            flags,
            rollbackIndexLocation,
            cut(releaseString));
    byte[] image = new byte[header.imageSize()];
    System.arraycopy(header.encode(), 0, image, 0, VbmetaHeader.SIZE);
    int auxiliaryAt = VbmetaHeader.SIZE + (int) authenticationSize;
    int at = auxiliaryAt;
    for (byte[] bytes : all.encoded) {
      System.arraycopy(bytes, 0, image, at, bytes.length);
      at += bytes.length;
    }
    key.copyTo(image, auxiliaryAt + keyAt);
    publicKeyMetadata.copyTo(image, auxiliaryAt + metadataAt);
    if (signer != null) {
      sign(signer, image, auxiliaryAt);
    }
    return ByteSlice.takeOver(image);
  }

  private record Descriptors(List<byte[]> encoded, long size, long requiredMinor) {}

  private Descriptors encode(List<AvbDescriptor> all) {
    List<byte[]> encoded = new ArrayList<>();
    long size = 0;
    long minor = Math.max(requiredMinor, rollbackIndexLocation > 0 ? 2 : 0);
    for (AvbDescriptor descriptor : all) {
      byte[] bytes = descriptor.encode();
      encoded.add(bytes);
      size += bytes.length;
      minor = Math.max(minor, descriptor.requiredMinor());
      requireReadable(size);
    }
    return new Descriptors(encoded, size, minor);
  }

  private static void requireReadable(long size) {
    if (size > VbmetaImage.MAX_SIZE) {
      throw new AvbException(
          Kind.REQUEST,
          "a vbmeta image has at most %d bytes but this would have %d"
              .formatted(VbmetaImage.MAX_SIZE, size));
    }
  }

  private void sign(AvbSigner with, byte[] image, int auxiliaryAt) {
    MessageDigest digest = algorithm.newDigest();
    digest.update(image, 0, VbmetaHeader.SIZE);
    digest.update(image, auxiliaryAt, image.length - auxiliaryAt);
    byte[] hash = digest.digest();
    byte[] signature = with.sign(algorithm, hash);
    if (!with.publicKey().verify(algorithm, hash, ByteSlice.copyOf(signature))) {
      throw new AvbException(Kind.KEY, "the signer made a signature that its key does not verify");
    }
    System.arraycopy(hash, 0, image, VbmetaHeader.SIZE, hash.length);
    System.arraycopy(signature, 0, image, VbmetaHeader.SIZE + hash.length, signature.length);
  }

  private List<AvbDescriptor> ordered(List<AvbDescriptor> first) {
    List<AvbDescriptor> own = new ArrayList<>(first);
    own.addAll(descriptors);
    List<AvbDescriptor> all = new ArrayList<>();
    for (int rank = 0; rank <= 4; rank++) {
      for (AvbDescriptor descriptor : own) {
        if (rank(descriptor) == rank) {
          all.add(descriptor);
        }
      }
    }
    all.addAll(includedAnonymous);
    all.addAll(includedByPartition.values());
    return all;
  }

  private static int rank(AvbDescriptor descriptor) {
    if (descriptor instanceof ChainPartitionDescriptor) {
      return 1;
    }
    if (descriptor instanceof PropertyDescriptor) {
      return 2;
    }
    if (descriptor instanceof KernelCommandLineDescriptor) {
      return 3;
    }
    return descriptor instanceof UnknownDescriptor ? 4 : 0;
  }

  // The order is that of avbtool's class names, which begin with "Avb" and these words.
  private static String sortKey(AvbDescriptor.OfPartition descriptor) {
    String kind;
    if (descriptor instanceof ChainPartitionDescriptor) {
      kind = "ChainPartitionDescriptor_";
    } else if (descriptor instanceof HashDescriptor) {
      kind = "HashDescriptor_";
    } else {
      kind = "HashtreeDescriptor_";
    }
    return kind + descriptor.partitionName();
  }

  private static String cut(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    if (bytes.length <= RELEASE_MAX) {
      return text;
    }
    int end = RELEASE_MAX;
    while ((bytes[end] & 0xc0) == 0x80) {
      end--;
    }
    return new String(bytes, 0, end, StandardCharsets.UTF_8);
  }

  private static long roundTo64(long size) {
    return (size + 63) / 64 * 64;
  }
}
