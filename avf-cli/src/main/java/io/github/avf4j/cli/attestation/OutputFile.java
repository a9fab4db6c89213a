package io.github.avf4j.cli.attestation;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Writes the files that commands make. */
final class OutputFile {
  private OutputFile() {}

  /**
   * Writes a file, or replaces it.
   *
   * @throws UnusableInputException if it cannot be written
   */
  static void write(Path file, byte[] bytes) {
    try {
      Files.write(file, bytes);
    } catch (IOException e) {
      throw InputFile.unusable(file, e);
    }
  }
}
