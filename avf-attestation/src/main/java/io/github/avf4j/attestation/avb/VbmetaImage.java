package io.github.avf4j.attestation.avb;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.avb.AvbException.Kind;
import io.github.avf4j.attestation.verity.ImageSource;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/**
 * A vbmeta image whose header and ranges are sound; nothing says that its signature is.
 *
 * <p>Immutable and thread-safe.
 */
public final class VbmetaImage {
  /** The most that libavb reads for one image, in bytes. */
  public static final int MAX_SIZE = 64 * 1024;

  private final ByteSlice bytes;
  private final VbmetaHeader header;

  private VbmetaImage(ByteSlice bytes, VbmetaHeader header) {
    this.bytes = bytes;
    this.header = header;
  }

  /**
   * Reads an image; bytes after its end are left out.
   *
   * @throws AvbException of kind HEADER or VERSION, by the checks of libavb in its order
   */
  public static VbmetaImage parse(ByteSlice data) {
    VbmetaHeader header = VbmetaHeader.parse(data);
    return new VbmetaImage(data.slice(0, header.imageSize()), header);
  }

  /**
   * Reads the image that a file holds: by its footer if it has one, else from its start.
   *
   * @throws AvbException of kind HEADER if there is none, or it is longer than 64 KiB
   */
  public static VbmetaImage find(ImageSource file) throws IOException {
    Optional<AvbFooter> footer = AvbFooter.find(file);
    if (footer.isPresent()) {
      return find(file, footer.get());
    }
    return parse(ByteSlice.takeOver(file.readRange(0, (int) Math.min(file.size(), MAX_SIZE))));
  }

  private static VbmetaImage find(ImageSource file, AvbFooter footer) throws IOException {
    long offset = footer.vbmetaOffset();
    long size = footer.vbmetaSize();
    if (size < 0 || size > MAX_SIZE) {
      throw new AvbException(
          Kind.HEADER,
          "a vbmeta image has at most %d bytes but the footer says %s"
              .formatted(MAX_SIZE, Long.toUnsignedString(size)));
    }
    if (offset < 0 || offset > file.size() - size) {
      throw new AvbException(
          Kind.HEADER,
          "the footer points to byte %s, outside of the %d bytes of the image"
              .formatted(Long.toUnsignedString(offset), file.size()));
    }
    return parse(ByteSlice.takeOver(file.readRange(offset, (int) size)));
  }

  /** The header. */
  public VbmetaHeader header() {
    return header;
  }

  /** The whole image: header, authentication block, auxiliary block. */
  public ByteSlice bytes() {
    return bytes;
  }

  /** The algorithm; empty if the number is unknown. */
  public Optional<AvbAlgorithm> algorithm() {
    return AvbAlgorithm.numbered(header.algorithm());
  }

  /** The blob of the key that signed the image; may be empty or malformed. */
  public ByteSlice publicKey() {
    return header.publicKey().of(auxiliaryBlock());
  }

  /** What the maker says about the key; empty if nothing. */
  public ByteSlice publicKeyMetadata() {
    return header.publicKeyMetadata().of(auxiliaryBlock());
  }

  /** The stored digest. */
  public ByteSlice hash() {
    return header.hash().of(authenticationBlock());
  }

  /** The stored signature. */
  public ByteSlice signature() {
    return header.signature().of(authenticationBlock());
  }

  /** The descriptors as far as they can be read. */
  public DescriptorList descriptorList() {
    if (!header.descriptors().isInside(header.auxiliarySize())) {
      return new DescriptorList(
          List.of(),
          Optional.of(
              new AvbException(
                  Kind.DESCRIPTOR_HEADER,
                  "the descriptors are not inside the auxiliary block",
                  bytes.offset() + 96L)));
    }
    return DescriptorList.read(header.descriptors().of(auxiliaryBlock()));
  }

  /**
   * All descriptors.
   *
   * @throws AvbException if one cannot be read
   */
  public List<AvbDescriptor> descriptors() {
    return descriptorList().requireComplete();
  }

  ByteSlice authenticationBlock() {
    return bytes.slice(VbmetaHeader.SIZE, auxiliaryStart());
  }

  ByteSlice auxiliaryBlock() {
    return bytes.slice(auxiliaryStart());
  }

  private int auxiliaryStart() {
    return VbmetaHeader.SIZE + (int) header.authenticationSize();
  }
}
