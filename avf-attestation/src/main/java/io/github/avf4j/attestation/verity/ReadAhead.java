package io.github.avf4j.attestation.verity;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.security.MessageDigest;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;

/**
 * Digests a long range while a second thread reads what comes next, so that the speed is that of
 * the hash alone. Two buffers of 1 MiB.
 */
final class ReadAhead {
  /** From how many bytes on a second thread gains more than it costs. */
  static final int WORTHWHILE = 1 << 22;

  // Large, because each handing over wakes the reader, which costs as much as hashing some KiB.
  private static final int BUFFER = 1 << 20;
  // Small, because the JDK copies what it reads from a buffer of this size to the array.
  private static final int PIECE = 1 << 17;

  private ReadAhead() {}

  static void digest(ImageSource source, MessageDigest digest, long position, long length)
      throws IOException {
    ExecutorService reader = HashThreads.start(1);
    try {
      byte[] current = new byte[BUFFER];
      byte[] next = new byte[BUFFER];
      long end = position + length;
      int ready = filling(position, end);
      fill(source, position, current, ready);
      for (long at = position; at < end; ) {
        long following = at + ready;
        int coming = filling(following, end);
        byte[] target = next;
        Future<?> reading =
            reader.submit(
                () -> {
                  fill(source, following, target, coming);
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

  private static int filling(long from, long end) {
    return (int) Math.min(BUFFER, end - from);
  }

  private static void fill(ImageSource source, long position, byte[] target, int length)
      throws IOException {
    for (int at = 0; at < length; at += PIECE) {
      source.read(position + at, target, at, Math.min(PIECE, length - at));
    }
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
