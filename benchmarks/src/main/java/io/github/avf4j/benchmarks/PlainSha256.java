package io.github.avf4j.benchmarks;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;

/** What everything that hashes a file is compared with: reading it and hashing it, one thread. */
final class PlainSha256 {
  // Stays in the cache between the reading and the hashing.
  private static final int PIECE = 1 << 16;

  private PlainSha256() {}

  /** Hashes the first {@code size} bytes and returns the seconds that it took. */
  static double seconds(Path file, long size) throws IOException, GeneralSecurityException {
    long start = System.nanoTime();
    MessageDigest digest = MessageDigest.getInstance("SHA-256");
    byte[] piece = new byte[PIECE];
    try (FileChannel in = FileChannel.open(file)) {
      for (long left = size; left > 0; ) {
        int count = in.read(ByteBuffer.wrap(piece, 0, (int) Math.min(left, PIECE)));
        if (count < 0) {
          throw new IOException(file + " has become shorter than " + size + " bytes");
        }
        digest.update(piece, 0, count);
        left -= count;
      }
    }
    digest.digest();
    return (System.nanoTime() - start) / 1e9;
  }
}
