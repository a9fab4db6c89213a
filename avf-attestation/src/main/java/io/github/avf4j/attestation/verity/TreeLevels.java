package io.github.avf4j.attestation.verity;

import java.io.IOException;
import java.security.DigestException;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.List;

/**
 * The levels above the data: takes digests of data blocks in order, and keeps one block a level.
 * Confined to one thread.
 */
final class TreeLevels {
  private final MerkleParameters parameters;
  private final TreeSink sink;
  private final MessageDigest digest;
  private final byte[] prefix;
  private final OpenBlock[] open;
  private final byte[] root;

  private static final class OpenBlock {
    final byte[] bytes;
    int used;
    long position;

    OpenBlock(int size, long position) {
      this.bytes = new byte[size];
      this.position = position;
    }
  }

  TreeLevels(MerkleParameters parameters, MerkleLayout layout, TreeSink sink) {
    this.parameters = parameters;
    this.sink = sink;
    this.digest = parameters.hash().newDigest();
    this.prefix = parameters.prefix().toByteArray();
    this.root = new byte[parameters.hash().digestSize()];
    List<MerkleLayout.Level> levels = layout.levels();
    this.open = new OpenBlock[levels.size()];
    for (int i = 0; i < open.length; i++) {
      open[i] = new OpenBlock(parameters.hashBlockSize(), levels.get(i).offset());
    }
  }

  /** Appends {@code count} digests, which stand in the array without gaps. */
  void append(byte[] digests, int count) throws IOException {
    int size = parameters.hash().digestSize();
    for (int i = 0; i < count; i++) {
      append(0, digests, i * size);
    }
  }

  /** Fills up what is open, and gives the root. */
  byte[] finish() throws IOException {
    for (int level = 0; level < open.length; level++) {
      if (open[level].used > 0) {
        close(level);
      }
    }
    return root;
  }

  private void append(int level, byte[] source, int offset) throws IOException {
    int size = parameters.hash().digestSize();
    if (level == open.length) {
      System.arraycopy(source, offset, root, 0, size);
      return;
    }
    OpenBlock block = open[level];
    System.arraycopy(source, offset, block.bytes, block.used, size);
    block.used += parameters.slotSize();
    if (block.used + parameters.slotSize() > block.bytes.length) {
      close(level);
    }
  }

  private void close(int level) throws IOException {
    OpenBlock block = open[level];
    sink.write(block.position, block.bytes, 0, block.bytes.length);
    byte[] hash = new byte[parameters.hash().digestSize()];
    hashBlock(digest, prefix, block.bytes, 0, block.bytes.length, hash, 0);
    Arrays.fill(block.bytes, (byte) 0);
    block.used = 0;
    block.position += block.bytes.length;
    append(level + 1, hash, 0);
  }

  static void hashBlock(
      MessageDigest digest,
      byte[] prefix,
      byte[] block,
      int offset,
      int length,
      byte[] target,
      int at) {
    digest.update(prefix);
    digest.update(block, offset, length);
    try {
      digest.digest(target, at, digest.getDigestLength());
    } catch (DigestException e) {
      throw new IllegalStateException(e);
    }
  }
}
