package io.github.avf4j.benchmarks;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.SplittableRandom;

/**
 * A folder for the data of one benchmark; it is removed on close, and also when the JVM is told to
 * end before. Confined to one thread.
 */
final class TemporaryFolder implements AutoCloseable {
  private static final int PIECE = 1 << 20;
  // What a benchmark writes next to its data, and something for the others.
  private static final long SPARE = 128L << 20;
  private static final int ATTEMPTS = 5;

  private final Path folder;
  private final Thread hook;

  /**
   * Makes it where {@code java.io.tmpdir} says.
   *
   * @param needed the bytes of the data that will stand in it
   * @throws Benchmark.Unavailable if there is no room for them
   */
  TemporaryFolder(long needed) throws IOException, Benchmark.Unavailable {
    folder = Files.createTempDirectory("avf-bench");
    hook = new Thread(this::removeAtEnd, "avf-bench-cleanup");
    Runtime.getRuntime().addShutdownHook(hook);
    long free = Files.getFileStore(folder).getUsableSpace();
    if (free < needed + SPARE) {
      Path parent = folder.getParent();
      close();
      throw new Benchmark.Unavailable(
          "it needs %d MiB in %s but %d MiB are free: make room, or name another folder by AVF_JAVA_OPTIONS=-Djava.io.tmpdir=FOLDER"
              .formatted((needed + SPARE) >> 20, parent, free >> 20));
    }
  }

  Path resolve(String name) {
    return folder.resolve(name);
  }

  /** Writes a file of random bytes, and waits until it is on the disk. */
  Path random(String name, long size) throws IOException {
    Path file = folder.resolve(name);
    SplittableRandom random = new SplittableRandom(size);
    byte[] piece = new byte[PIECE];
    try (FileChannel out =
        FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      for (long left = size; left > 0; ) {
        random.nextBytes(piece);
        ByteBuffer bytes = ByteBuffer.wrap(piece, 0, (int) Math.min(left, piece.length));
        left -= bytes.remaining();
        while (bytes.hasRemaining()) {
          out.write(bytes);
        }
      }
      // Else the kernel would write it while others are measured.
      out.force(true);
    }
    return file;
  }

  @Override
  public void close() throws IOException {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      return; // The hook runs already.
    }
    Folders.delete(folder);
  }

  private void removeAtEnd() {
    // What the benchmark now trips over is no news.
    Thread.setDefaultUncaughtExceptionHandler((thread, e) -> {});
    ProcessHandle.current().descendants().forEach(ProcessHandle::destroyForcibly);
    // The benchmark still runs beside this and may make a file between the look and the removal.
    for (int attempt = 0; attempt < ATTEMPTS && Files.exists(folder); attempt++) {
      try {
        Folders.delete(folder);
      } catch (IOException | UncheckedIOException e) {
        if (attempt == ATTEMPTS - 1) {
          System.err.println("bench: remove " + folder + " yourself: " + e.getMessage());
        }
      }
    }
  }
}
