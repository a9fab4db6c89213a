package io.github.avf4j.cli.internal;

import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** Reads the files that commands are given. */
public final class InputFile {
  private InputFile() {}

  /**
   * Reads a whole file.
   *
   * @throws UnusableInputException if it is missing, empty or unreadable
   * @throws RefusedException if it is longer than {@code maxBytes}
   */
  public static byte[] read(Path file, int maxBytes) {
    requireUsable(file);
    byte[] bytes;
    try (InputStream in = Files.newInputStream(file)) {
      bytes = in.readNBytes(maxBytes + 1);
    } catch (IOException e) {
      throw unusable(file, e);
    }
    if (bytes.length == 0) {
      throw new UnusableInputException(file + " is empty");
    }
    if (bytes.length > maxBytes) {
      throw new RefusedException(file + " must have at most " + maxBytes + " bytes");
    }
    return bytes;
  }

  /**
   * Opens a regular file for reading; the caller closes it.
   *
   * @throws UnusableInputException if it is missing, empty, unreadable or no regular file
   */
  public static FileChannel open(Path file) {
    requireFile(file);
    try {
      return FileChannel.open(file);
    } catch (IOException e) {
      throw unusable(file, e);
    }
  }

  /** Throws an {@link UnusableInputException} unless this is a readable file with content. */
  public static void requireFile(Path file) {
    requireUsable(file);
    try {
      if (!Files.isRegularFile(file)) {
        throw new UnusableInputException(file + " is not a regular file");
      }
      if (Files.size(file) == 0) {
        throw new UnusableInputException(file + " is empty");
      }
    } catch (IOException e) {
      throw unusable(file, e);
    }
  }

  /** Throws an {@link UnusableInputException} unless this is a folder. */
  public static void requireFolder(Path folder) {
    if (!Files.exists(folder)) {
      throw new UnusableInputException(folder + " does not exist");
    }
    if (!Files.isDirectory(folder)) {
      throw new UnusableInputException(folder + " is not a folder");
    }
  }

  private static void requireUsable(Path file) {
    if (!Files.exists(file)) {
      throw new UnusableInputException(file + " does not exist");
    }
    if (Files.isDirectory(file)) {
      throw new UnusableInputException(file + " is a directory");
    }
    if (!Files.isReadable(file)) {
      throw new UnusableInputException(file + " cannot be read: permission is denied");
    }
  }

  /** What went wrong with a file, in words. */
  static UnusableInputException unusable(Path file, IOException cause) {
    if (cause instanceof NoSuchFileException) {
      return new UnusableInputException(cause.getMessage() + " does not exist");
    }
    if (cause instanceof AccessDeniedException) {
      return new UnusableInputException(cause.getMessage() + ": permission is denied");
    }
    return new UnusableInputException(file + " cannot be used: " + cause.getMessage());
  }
}
