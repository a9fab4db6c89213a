package io.github.avf4j.benchmarks;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.attestation.verity.MerkleParameters;
import io.github.avf4j.attestation.verity.MerkleTree;
import io.github.avf4j.attestation.verity.TreeSink;
import io.github.avf4j.attestation.verity.VerityHash;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** A dm-verity tree (SHA-256, 4 KiB) over a file of 1 GiB, written to another file. */
final class VerityTree {
  static final long SIZE = 1L << 30;
  static final int BLOCK = 4096;
  // As long as the one that veritysetup would choose.
  static final ByteSlice SALT = ByteSlice.ofHex("5a".repeat(32));

  private VerityTree() {}

  /** Makes the tree with a thread for each processor and returns the root hash. */
  static ByteSlice make(Path data, Path tree) throws IOException {
    MerkleParameters parameters = MerkleParameters.dmVerity(VerityHash.SHA256, BLOCK, BLOCK, SALT);
    try (FileChannel in = FileChannel.open(data);
        FileChannel out =
            FileChannel.open(
                tree,
                StandardOpenOption.CREATE,
                StandardOpenOption.TRUNCATE_EXISTING,
                StandardOpenOption.WRITE)) {
      return MerkleTree.build(ImageSource.of(in), parameters, TreeSink.into(out, 0));
    }
  }

  /** Returns the throughput in MiB a second of what took so long for the whole file. */
  static double mebibytesPerSecond(double seconds) {
    return SIZE / seconds / (1 << 20);
  }
}
