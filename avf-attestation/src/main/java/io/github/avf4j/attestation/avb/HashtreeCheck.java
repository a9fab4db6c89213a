package io.github.avf4j.attestation.avb;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.verity.DataTap;
import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.attestation.verity.MerkleLayout;
import io.github.avf4j.attestation.verity.MerkleParameters;
import io.github.avf4j.attestation.verity.MerkleTree;
import io.github.avf4j.attestation.verity.TreeSink;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Recomputes the tree of a descriptor and compares root and stored tree. Thread-safe. */
public final class HashtreeCheck {
  private static final byte[] ZEROED = "ZeRoHaSH".getBytes(StandardCharsets.US_ASCII);

  private HashtreeCheck() {}

  /**
   * Checks a partition that holds its own tree, all of which is read once.
   *
   * @param subject what the result is called
   * @param tap sees the data while it is hashed
   * @throws AvbException of kind DESCRIPTOR_VALUE if no dm-verity of version 1 is like that
   * @throws java.io.EOFException if data or tree do not lie inside the partition
   * @throws IOException if it cannot be read
   */
  public static ImageReport.Check check(
      String subject, HashtreeDescriptor tree, ImageSource partition, DataTap tap)
      throws IOException {
    return check(subject, tree, partition, false, tap);
  }

  static ImageReport.Check check(
      String subject, HashtreeDescriptor tree, ImageSource partition, boolean acceptZeroed)
      throws IOException {
    return check(subject, tree, partition, acceptZeroed, DataTap.NONE);
  }

  private static ImageReport.Check check(
      String subject,
      HashtreeDescriptor tree,
      ImageSource partition,
      boolean acceptZeroed,
      DataTap tap)
      throws IOException {
    MerkleParameters parameters = tree.merkleParameters();
    partition.requireInside(0, tree.imageSize());
    ImageSource data = ImageSource.prefix(partition, tree.imageSize());
    Comparison comparison = new Comparison(partition, tree.treeOffset());
    TreeSink sink = TreeSink.DISCARD;
    boolean zeroed = acceptZeroed && isZeroed(tree, partition);
    if (tree.treeSize() != 0 && !zeroed) {
      long expected = MerkleLayout.of(parameters, tree.imageSize()).treeSize();
      if (tree.treeSize() != expected) {
        return ImageReport.Check.failed(
            subject,
            "the tree has %s bytes but must have %d"
                .formatted(Long.toUnsignedString(tree.treeSize()), expected));
      }
      partition.requireInside(tree.treeOffset(), expected);
      sink = comparison;
    }
    int threads = Runtime.getRuntime().availableProcessors();
    ByteSlice root = MerkleTree.build(data, parameters, sink, threads, tap);
    if (!root.equals(tree.rootDigest())) {
      return ImageReport.Check.failed(
          subject,
          tree.rootDigest().isEmpty()
              ? "the root digest is persistent: only a device knows it"
              : "the root digest is another");
    }
    if (comparison.differs) {
      return ImageReport.Check.failed(subject, "the stored tree is not that of the data");
    }
    return ImageReport.Check.passed(
        subject,
        tree.hashAlgorithm() + " " + root.toHex() + (zeroed ? ", the tree is zeroed" : ""));
  }

  private static boolean isZeroed(HashtreeDescriptor tree, ImageSource partition)
      throws IOException {
    return tree.treeSize() >= ZEROED.length
        && Arrays.equals(partition.readRange(tree.treeOffset(), ZEROED.length), ZEROED);
  }

  private static final class Comparison implements TreeSink {
    private final ImageSource partition;
    private final long start;
    boolean differs;

    Comparison(ImageSource partition, long start) {
      this.partition = partition;
      this.start = start;
    }

    @Override
    public void write(long position, byte[] bytes, int offset, int length) throws IOException {
      byte[] stored = partition.readRange(start + position, length);
      differs |= !Arrays.equals(bytes, offset, offset + length, stored, 0, length);
    }
  }
}
