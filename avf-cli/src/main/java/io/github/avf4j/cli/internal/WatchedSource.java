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
 * @param passes how often the file is read as a whole
 * @param done the bytes that were read
 */
public record WatchedSource(ImageSource file, ProgressBar bar, int passes, AtomicLong done)
    implements ImageSource {
  /** A file that is read once. */
  public WatchedSource(ImageSource file, ProgressBar bar) {
    this(file, bar, 1, new AtomicLong());
  }

  /** A file that is read several times. */
  public WatchedSource(ImageSource file, ProgressBar bar, int passes) {
    this(file, bar, passes, new AtomicLong());
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
      bar.at(read, passes * file.size());
    }
  }
}
