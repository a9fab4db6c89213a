package io.github.avf4j.microdroid.apex;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.avb.AvbDescriptor;
import io.github.avf4j.attestation.avb.AvbException;
import io.github.avf4j.attestation.avb.AvbFooter;
import io.github.avf4j.attestation.avb.HashtreeDescriptor;
import io.github.avf4j.attestation.avb.VbmetaImage;
import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.attestation.verity.MerkleLayout;
import io.github.avf4j.attestation.verity.MerkleParameters;
import java.io.IOException;
import java.util.List;

/**
 * The file system image of an APEX with what AVB put behind it. The structure is sound, nothing is
 * verified. Immutable; thread-safe as far as its image is.
 *
 * @param image all bytes of the payload
 * @param offset where it stands in the APEX, a multiple of 4096
 * @param fileSystem told by its magic
 * @param vbmeta the vbmeta image
 * @param vbmetaOffset where that stands in the payload
 * @param hashtree the one hashtree descriptor; data and tree lie inside the image
 */
public record ApexPayload(
    ImageSource image,
    long offset,
    PayloadFileSystem fileSystem,
    VbmetaImage vbmeta,
    long vbmetaOffset,
    HashtreeDescriptor hashtree) {
  /** What a payload is aligned to, and the largest block that every guest can check. */
  static final int PAGE = 4096;

  static ApexPayload read(ImageSource image, long offset) throws IOException {
    if (offset % PAGE != 0) {
      throw new ApexException(
          ApexError.PLACE,
          "the payload must start at a multiple of 4096, not at " + offset,
          offset);
    }
    AvbFooter footer = footer(image, offset);
    VbmetaImage vbmeta;
    List<AvbDescriptor> descriptors;
    try {
      vbmeta = VbmetaImage.find(image);
      descriptors = vbmeta.descriptors();
    } catch (AvbException e) {
      throw ApexException.of(ApexError.VBMETA, e, offset + footer.vbmetaOffset());
    }
    HashtreeDescriptor tree = onlyTree(descriptors, offset + footer.vbmetaOffset());
    requireInside(tree, image.size());
    PayloadFileSystem fileSystem =
        PayloadFileSystem.of(ImageSource.prefix(image, tree.imageSize()))
            .orElseThrow(
                () ->
                    new ApexException(
                        ApexError.FILE_SYSTEM,
                        "the payload is no ext4, f2fs or EROFS image",
                        offset));
    return new ApexPayload(image, offset, fileSystem, vbmeta, footer.vbmetaOffset(), tree);
  }

  private static AvbFooter footer(ImageSource image, long offset) throws IOException {
    long at = image.size() - AvbFooter.SIZE;
    if (at < 0) {
      throw new ApexException(
          ApexError.FOOTER, "the payload is too short for an AVB footer", offset);
    }
    try {
      return AvbFooter.parse(ByteSlice.takeOver(image.readRange(at, AvbFooter.SIZE)));
    } catch (AvbException e) {
      throw ApexException.of(ApexError.FOOTER, e, offset + at);
    }
  }

  private static HashtreeDescriptor onlyTree(List<AvbDescriptor> descriptors, long position) {
    List<HashtreeDescriptor> trees =
        descriptors.stream()
            .filter(HashtreeDescriptor.class::isInstance)
            .map(HashtreeDescriptor.class::cast)
            .toList();
    if (trees.size() != 1) {
      throw new ApexException(
          ApexError.DESCRIPTOR,
          "there must be one hashtree descriptor but there are " + trees.size(),
          position);
    }
    return trees.get(0);
  }

  private static void requireInside(HashtreeDescriptor tree, long size) {
    MerkleParameters parameters;
    try {
      parameters = tree.merkleParameters();
    } catch (AvbException e) {
      throw ApexException.of(ApexError.DESCRIPTOR, e, 0);
    }
    if (tree.dataBlockSize() > PAGE || tree.hashBlockSize() > PAGE) {
      throw unusable(
          "blocks of %d and %d bytes are larger than a page of the guest"
              .formatted(tree.dataBlockSize(), tree.hashBlockSize()));
    }
    if (tree.imageSize() > size) {
      throw unusable("the data has %d bytes but the payload %d".formatted(tree.imageSize(), size));
    }
    long expected = MerkleLayout.of(parameters, tree.imageSize()).treeSize();
    if (tree.treeSize() != expected) {
      throw unusable(
          "the tree has %s bytes but must have %d"
              .formatted(Long.toUnsignedString(tree.treeSize()), expected));
    }
    if (tree.treeOffset() < 0
        || tree.treeOffset() > size - expected
        || tree.treeOffset() % tree.hashBlockSize() != 0) {
      throw unusable(
          "a tree of %d bytes cannot be at byte %s of %d"
              .formatted(expected, Long.toUnsignedString(tree.treeOffset()), size));
    }
  }

  private static ApexException unusable(String reason) {
    return new ApexException(ApexError.DESCRIPTOR, "hashtree descriptor: " + reason);
  }
}
