package io.github.avf4j.attestation.verity;

import io.github.avf4j.attestation.ByteSlice;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.security.MessageDigest;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;

/**
 * Builds Merkle trees: the data is read once, in chunks that several threads hash.
 *
 * <p>Memory: less than 256 KiB for each chunk that is hashed or waits (at most 2 more than
 * threads), plus one block a level, whatever the size of the data. Thread-safe.
 */
public final class MerkleTree {
  // Large, because each chunk that is done wakes the caller.
  private static final int CHUNK = DataTap.CHUNK;
  // What is read at a time stays in the cache until it is hashed.
  private static final int PIECE = 1 << 16;
  private static final int MAX_THREADS = 32;

  private MerkleTree() {}

  /** Builds a tree with a thread for each processor; see the form with {@code threads}. */
  public static ByteSlice build(ImageSource data, MerkleParameters parameters, TreeSink sink)
      throws IOException {
    return build(data, parameters, sink, Runtime.getRuntime().availableProcessors());
  }

  /**
   * Builds the tree over all of the data; a last block that is not full is hashed with zeros after
   * it. Blocks until done.
   *
   * <p>Data of one block has no tree: its root is the hash of that block. No data has a root of
   * zeros (fs-verity).
   *
   * @param sink takes the tree, {@link MerkleLayout#treeSize} bytes
   * @param threads how many threads hash, 1..32 (more counts as 32)
   * @return the root hash
   * @throws InterruptedIOException if the calling thread is interrupted; its flag is set again
   * @throws IOException if the data cannot be read or the sink fails
   */
  public static ByteSlice build(
      ImageSource data, MerkleParameters parameters, TreeSink sink, int threads)
      throws IOException {
    return build(data, parameters, sink, threads, DataTap.NONE);
  }

  /**
   * Builds the tree as the form without {@code tap} does, and shows it all data on the way.
   *
   * @param tap called by the threads that hash, with the data as it was read for the tree
   */
  public static ByteSlice build(
      ImageSource data, MerkleParameters parameters, TreeSink sink, int threads, DataTap tap)
      throws IOException {
    if (threads < 1) {
      throw new IllegalArgumentException("threads must be at least 1 but was " + threads);
    }
    MerkleLayout layout = MerkleLayout.of(parameters, data.size());
    TreeLevels levels = new TreeLevels(parameters, layout, sink);
    long chunks = MerkleLayout.ceilDiv(data.size(), CHUNK);
    int workers = (int) Math.min(Math.min(threads, MAX_THREADS), chunks);
    if (workers <= 1) {
      Chunk chunk = new Chunk(data, parameters, tap);
      for (long i = 0; i < chunks; i++) {
        chunk.hash(i);
        levels.append(chunk.digests, chunk.count);
      }
    } else {
      buildInParallel(data, parameters, levels, chunks, workers, tap);
    }
    return ByteSlice.takeOver(levels.finish());
  }

  private static void buildInParallel(
      ImageSource data,
      MerkleParameters parameters,
      TreeLevels levels,
      long chunks,
      int workers,
      DataTap tap)
      throws IOException {
    ExecutorService pool = HashThreads.start(workers);
    try {
      Deque<Chunk> idle = new ArrayDeque<>();
      for (int i = 0; i < workers + 2; i++) {
        idle.add(new Chunk(data, parameters, tap));
      }
      Deque<Future<Chunk>> pending = new ArrayDeque<>();
      long next = 0;
      while (next < chunks || !pending.isEmpty()) {
        while (next < chunks && !idle.isEmpty()) {
          Chunk chunk = idle.remove();
          long index = next++;
          pending.add(pool.submit(() -> chunk.hash(index)));
        }
        Chunk done = ReadAhead.await(pending.remove());
        levels.append(done.digests, done.count);
        idle.add(done);
      }
    } finally {
      HashThreads.end(pool);
    }
  }

  /** A piece of the data with its digests; used by one thread at a time. */
  private static final class Chunk {
    final byte[] digests;
    int count;
    private final ImageSource data;
    private final DataTap tap;
    private final MessageDigest digest;
    private final byte[] prefix;
    private final byte[] bytes = new byte[PIECE];
    private final int blockSize;

    Chunk(ImageSource data, MerkleParameters parameters, DataTap tap) {
      this.data = data;
      this.tap = tap;
      this.digest = parameters.hash().newDigest();
      this.prefix = parameters.prefix().toByteArray();
      this.blockSize = parameters.dataBlockSize();
      this.digests = new byte[CHUNK / blockSize * parameters.hash().digestSize()];
    }

    Chunk hash(long index) throws IOException {
      long start = index * CHUNK;
      long end = Math.min(start + CHUNK, data.size());
      count = 0;
      for (long at = start; at < end; at += PIECE) {
        int length = (int) Math.min(PIECE, end - at);
        data.read(at, bytes, 0, length);
        tap.see(at, bytes, length);
        hashPiece(length);
      }
      return this;
    }

    private void hashPiece(int length) {
      int blocks = (length + blockSize - 1) / blockSize;
      Arrays.fill(bytes, length, blocks * blockSize, (byte) 0);
      int size = digest.getDigestLength();
      for (int i = 0; i < blocks; i++) {
        TreeLevels.hashBlock(
            digest, prefix, bytes, i * blockSize, blockSize, digests, count * size);
        count++;
      }
    }
  }
}
