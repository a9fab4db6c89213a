package io.github.avf4j.attestation.avb;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.avb.AvbException.Kind;
import io.github.avf4j.attestation.verity.ForwardErrorCorrection;
import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.attestation.verity.MerkleLayout;
import io.github.avf4j.attestation.verity.MerkleParameters;
import io.github.avf4j.attestation.verity.MerkleTree;
import io.github.avf4j.attestation.verity.TreeSink;
import io.github.avf4j.attestation.verity.VerityHash;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Puts a dm-verity tree, parity if wanted, a vbmeta image and a footer behind a file system image.
 *
 * <p>Repeating it replaces what an earlier run appended. Confined to one thread, which waits while
 * others hash.
 */
public final class HashtreeFooter {
  private final String partitionName;
  private VerityHash hash = VerityHash.SHA256;
  private int blockSize = FooterFile.BLOCK;
  private @Nullable ByteSlice salt;
  private long partitionSize;
  private int fecRoots;
  private boolean persistentDigest;
  private boolean storeTree = true;
  private boolean asRoot;
  private int flags;

  /**
   * What was made.
   *
   * @param descriptor the hashtree descriptor
   * @param vbmeta the vbmeta image
   */
  public record Made(HashtreeDescriptor descriptor, ByteSlice vbmeta) {}

  private HashtreeFooter(String partitionName) {
    this.partitionName = partitionName;
  }

  /**
   * A footer for the partition of this name: SHA-256 (avbtool's own default is SHA-1), blocks of
   * 4096 bytes, a random salt, no parity, the file as small as possible.
   */
  public static HashtreeFooter forPartition(String name) {
    return new HashtreeFooter(name);
  }

  /** Sets the hash. */
  public HashtreeFooter hash(VerityHash function) {
    this.hash = function;
    return this;
  }

  /** Sets the size of data and hash blocks, a power of two of at least 4096. */
  public HashtreeFooter blockSize(int bytes) {
    if (bytes < FooterFile.BLOCK || !MerkleParameters.isBlockSize(bytes)) {
      throw new AvbException(
          Kind.REQUEST, "the block size must be a power of two in 4096..65536 but was " + bytes);
    }
    this.blockSize = bytes;
    return this;
  }

  /** Sets the salt. Default: random bytes, as many as the digest has. */
  public HashtreeFooter salt(ByteSlice bytes) {
    if (bytes.length() > 256) {
      throw new AvbException(
          Kind.REQUEST, "the salt must have at most 256 bytes but has " + bytes.length());
    }
    this.salt = bytes;
    return this;
  }

  /** Sets the size of the file afterwards, in bytes; 0 (default) for the least. */
  public HashtreeFooter partitionSize(long bytes) {
    FooterFile.requireBlocks(bytes);
    this.partitionSize = bytes;
    return this;
  }

  /** Adds Reed-Solomon parity with so many bytes a code word, 2..24; 0 (default) for none. */
  public HashtreeFooter fecRoots(int roots) {
    if (roots != 0 && (roots < 2 || roots > 24)) {
      throw new AvbException(Kind.REQUEST, "FEC roots must be 0 or in 2..24 but were " + roots);
    }
    this.fecRoots = roots;
    return this;
  }

  /** Leaves the root digest out, because a device keeps it. */
  public HashtreeFooter persistentDigest() {
    this.persistentDigest = true;
    return this;
  }

  /** Leaves the tree itself out: the descriptor then says that it has 0 bytes. */
  public HashtreeFooter withoutTree() {
    this.storeTree = false;
    return this;
  }

  /** Says that the partition has no A/B suffix. */
  public HashtreeFooter doNotUseAb() {
    this.flags |= HashtreeDescriptor.DO_NOT_USE_AB;
    return this;
  }

  /** Says that blocks are checked only when they are read for the first time. */
  public HashtreeFooter checkAtMostOnce() {
    this.flags |= HashtreeDescriptor.CHECK_AT_MOST_ONCE;
    return this;
  }

  /** Adds the kernel command lines that mount this partition as the root file system. */
  public HashtreeFooter asRoot() {
    this.asRoot = true;
    return this;
  }

  /** The largest image that a partition of this size can hold with these settings, in bytes. */
  public long maxImageSize(long size) {
    long extra = 0;
    if (storeTree) {
      extra += MerkleLayout.of(parameters(ByteSlice.EMPTY), size).treeSize();
      extra += fecRoots == 0 ? 0 : ForwardErrorCorrection.paritySize(size, fecRoots);
    }
    return FooterFile.maxImageSize(size, extra);
  }

  /**
   * Appends to a file. If writing fails the file gets its original size back.
   *
   * @param vbmeta says how the image is signed and what else stands in it
   * @throws AvbException of kind REQUEST if the image is empty or too large, or its size is no
   *     multiple of 4096 and no partition size is set; the file is as before then
   */
  public Made addTo(Path file, VbmetaBuilder vbmeta) throws IOException {
    try (FooterFile image = FooterFile.open(file, true)) {
      checkSizes(image);
      try {
        image.truncateToOriginal();
        return append(image, vbmeta);
      } catch (IOException | RuntimeException e) {
        image.truncateToOriginal();
        throw e;
      }
    }
  }

  private void checkSizes(FooterFile image) throws IOException {
    long size = image.originalSize();
    if (size == 0) {
      throw new AvbException(Kind.REQUEST, "an empty image has no hash tree");
    }
    if (partitionSize > 0) {
      FooterFile.requireFit(roundToBlock(size), maxImageSize(partitionSize), partitionSize);
    } else if (image.channel().size() % FooterFile.BLOCK != 0) {
      throw new AvbException(
          Kind.REQUEST,
          "without a partition size the image must be a multiple of 4096 bytes but has " + size);
    }
  }

  private Made append(FooterFile file, VbmetaBuilder vbmeta) throws IOException {
    long dataSize = roundToBlock(file.originalSize());
    if (dataSize > file.originalSize()) {
      file.write(dataSize - 1, new byte[1]);
    }
    ByteSlice usedSalt = salt;
    if (usedSalt == null) {
      usedSalt = persistentDigest ? ByteSlice.EMPTY : HashFooter.randomSalt(hash);
    }
    MerkleParameters parameters = parameters(usedSalt);
    long treeSize = storeTree ? MerkleLayout.of(parameters, dataSize).treeSize() : 0;
    TreeSink sink = storeTree ? TreeSink.into(file.channel(), dataSize) : TreeSink.DISCARD;
    ImageSource data = ImageSource.prefix(ImageSource.of(file.channel()), dataSize);
    ByteSlice root = MerkleTree.build(data, parameters, sink);
    long end = dataSize + treeSize;
    long fecSize = 0;
    if (fecRoots > 0) {
      fecSize = storeTree ? writeParity(file, end) : 0;
    }
    HashtreeDescriptor descriptor =
        new HashtreeDescriptor(
            1,
            dataSize,
            dataSize,
            treeSize,
            blockSize,
            blockSize,
            fecRoots,
            fecRoots > 0 ? end : 0,
            fecSize,
            hash.kernelName(),
            partitionName,
            usedSalt,
            persistentDigest ? ByteSlice.EMPTY : root,
            flags);
    List<AvbDescriptor> descriptors = new ArrayList<>(List.of(descriptor));
    if (asRoot) {
      descriptors.addAll(KernelCommandLineDescriptor.forRoot(descriptor));
    }
    ByteSlice image = vbmeta.build(descriptors);
    file.finish(end + fecSize, image, partitionSize);
    return new Made(descriptor, image);
  }

  private long writeParity(FooterFile file, long end) throws IOException {
    ImageSource covered = ImageSource.prefix(ImageSource.of(file.channel()), end);
    ForwardErrorCorrection.encode(covered, fecRoots, TreeSink.into(file.channel(), end));
    return ForwardErrorCorrection.paritySize(end, fecRoots);
  }

  private MerkleParameters parameters(ByteSlice usedSalt) {
    return MerkleParameters.dmVerity(hash, blockSize, blockSize, usedSalt);
  }

  private long roundToBlock(long size) {
    return (size + blockSize - 1) / blockSize * blockSize;
  }
}
