package io.github.avf4j.cli.internal;

import io.github.avf4j.microdroid.image.AtomicFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;

/** Writes the files that commands make. */
public final class OutputFile {
  private OutputFile() {}

  /**
   * Writes a file, or replaces it.
   *
   * @throws UnusableInputException if it cannot be written
   */
  public static void write(Path file, byte[] bytes) {
    try {
      Files.write(file, bytes);
    } catch (IOException e) {
      throw InputFile.unusable(file, e);
    }
  }

  /**
   * Writes a file that only its owner may read, or replaces one by such a file.
   *
   * @throws UnusableInputException if it cannot be written
   */
  public static void writeSecret(Path file, byte[] bytes) {
    try (AtomicFile secret =
        AtomicFile.create(file, PosixFilePermissions.fromString("rw-------"))) {
      secret.write(0, ByteBuffer.wrap(bytes));
      secret.commit();
    } catch (IOException e) {
      throw InputFile.unusable(file, e);
    }
  }
}
