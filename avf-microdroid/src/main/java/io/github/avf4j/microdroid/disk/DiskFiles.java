package io.github.avf4j.microdroid.disk;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** What holds for files that images name. */
final class DiskFiles {
  private DiskFiles() {}

  /** Throws unless this is a regular file: opening a FIFO would wait for a writer. */
  static void requireRegular(Path file) throws IOException {
    if (!Files.exists(file)) {
      throw new NoSuchFileException(file.toString());
    }
    if (!Files.isRegularFile(file)) {
      throw new FileSystemException(file.toString(), null, "is not a regular file");
    }
  }
}
