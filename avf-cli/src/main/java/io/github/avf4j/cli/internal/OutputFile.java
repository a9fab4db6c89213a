package io.github.avf4j.cli.internal;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
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
   * Writes a file that only its owner may read, before anything is in it.
   *
   * @throws UnusableInputException if it cannot be written
   */
  public static void writeSecret(Path file, byte[] bytes) {
    var permissions = PosixFilePermissions.fromString("rw-------");
    try {
      try {
        Files.createFile(file, PosixFilePermissions.asFileAttribute(permissions));
      } catch (FileAlreadyExistsException e) {
        Files.setPosixFilePermissions(file, permissions);
      }
    } catch (IOException e) {
      throw InputFile.unusable(file, e);
    }
    write(file, bytes);
  }
}
