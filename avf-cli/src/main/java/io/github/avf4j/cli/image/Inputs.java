package io.github.avf4j.cli.image;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** The files that commands are given. */
final class Inputs {
  private Inputs() {}

  /**
   * Opens a regular file with content; the caller closes it.
   *
   * @throws IOException if it is missing, empty, unreadable or of another kind
   */
  static FileChannel open(Path file) throws IOException {
    requireFile(file);
    return FileChannel.open(file);
  }

  /** Throws unless this is a regular file with content. */
  static void requireFile(Path file) throws IOException {
    if (!Files.exists(file)) {
      throw new NoSuchFileException(file.toString());
    }
    if (!Files.isRegularFile(file)) {
      throw new FileSystemException(file.toString(), null, "is not a regular file");
    }
    if (Files.size(file) == 0) {
      throw new FileSystemException(file.toString(), null, "is empty");
    }
  }
}
