package io.github.avf4j.cli.internal;

import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.cli.ProgressBar;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A file whose reading a bar shows. Thread-safe.
 *
 * @param file the file
 * @param bar what shows it
 * @param done the bytes that were read
 */
public record WatchedSource(ImageSource file, ProgressBar bar, AtomicLong done)
    implements ImageSource {
  /** A file of which nothing was read yet. */
  public WatchedSource(ImageSource file, ProgressBar bar) {
    this(file, bar, new AtomicLong());
  }

  @Override
  public long size() {
    return file.size();
  }

  @Override
  public void read(long position, byte[] target, int offset, int length) throws IOException {
    file.read(position, target, offset, length);
    long read = done.addAndGet(length);
    synchronized (bar) {
      bar.at(read, file.size());
    }
  }
}
