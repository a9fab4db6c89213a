package io.github.avf4j.kvm.boot;

import io.github.avf4j.InvalidImageException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;

/**
 * A file that a machine boots with, before it is read. Thread-safe.
 *
 * @param what the file's role in messages, such as {@code kernel}
 * @param path where it is
 */
public record BootFile(String what, Path path) {
  /**
   * Returns what the file system knows of it.
   *
   * @throws InvalidImageException if it is no regular file with contents
   */
  public BasicFileAttributes attributes() {
    BasicFileAttributes attributes;
    try {
      attributes = Files.readAttributes(path, BasicFileAttributes.class);
    } catch (NoSuchFileException e) {
      throw new InvalidImageException(
          "the " + what + " " + path + " does not exist: check the path", e);
    } catch (IOException e) {
      throw unreadable(e);
    }
    if (!attributes.isRegularFile()) {
      throw invalid("is not a regular file: give a file");
    }
    if (attributes.size() == 0) {
      throw invalid("is empty: fetch or build it again");
    }
    return attributes;
  }

  /** Returns an exception whose message starts with role and path. */
  public InvalidImageException invalid(String sentence) {
    return new InvalidImageException("the " + what + " " + path + " " + sentence);
  }

  /** Returns an exception that says that it cannot be read. */
  public InvalidImageException unreadable(IOException cause) {
    return new InvalidImageException(
        "the " + what + " " + path + " cannot be read: " + cause + ": check its permissions",
        cause);
  }
}
