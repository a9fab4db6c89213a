package io.github.avf4j.attestation.verity;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.security.MessageDigest;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;

/**
 * Digests a long range while a second thread reads what comes next, so that the speed is that of
 * the hash alone. Two buffers of 256 KiB.
 */
final class ReadAhead {
  static final int WORTHWHILE = 1 << 20;
  private static final int BUFFER = 1 << 18;

  private ReadAhead() {}

  static void digest(ImageSource source, MessageDigest digest, long position, long length)
      throws IOException {
    ExecutorService reader = HashThreads.start(1);
    try {
      byte[] current = new byte[BUFFER];
      byte[] next = new byte[BUFFER];
      long end = position + length;
      int ready = piece(position, end);
      source.read(position, current, 0, ready);
      for (long at = position; at < end; ) {
        long following = at + ready;
        int coming = piece(following, end);
        byte[] target = next;
        Future<?> reading =
            reader.submit(
                () -> {
                  source.read(following, target, 0, coming);
                  return null;
                });
        digest.update(current, 0, ready);
        await(reading);
        next = current;
        current = target;
        at = following;
        ready = coming;
      }
    } finally {
      HashThreads.end(reader);
    }
  }

  private static int piece(long from, long end) {
    return (int) Math.min(BUFFER, end - from);
  }

  /** Waits for a job of hashing or reading. */
  static <T> T await(Future<T> future) throws IOException {
    try {
      return future.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while hashing");
    } catch (ExecutionException e) {
      if (e.getCause() instanceof IOException failure) {
        throw new IOException(failure.getMessage(), failure);
      }
      throw new IllegalStateException("hashing failed", e.getCause());
    }
  }
}
