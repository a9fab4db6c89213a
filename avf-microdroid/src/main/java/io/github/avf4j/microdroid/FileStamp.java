package io.github.avf4j.microdroid;

import io.github.avf4j.InvalidImageException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.time.DateTimeException;
import java.time.Instant;

/**
 * A file as it is now: what tells a changed file from the same one without reading it.
 *
 * <p>Thread-safe.
 *
 * @param path the file
 * @param size its length in bytes
 * @param modified when it was last written
 * @param key the file system's identity of it, such as device and inode number; may be empty
 */
public record FileStamp(Path path, long size, FileTime modified, String key) {

  /**
   * Returns the stamp of a regular file with content.
   *
   * @param what the file's role in messages, such as {@code kernel}
   * @param advice what to do when it is missing, as the end of a sentence
   * @throws InvalidImageException if there is no such file, or it is empty or no regular file
   */
  public static FileStamp of(Path path, String what, String advice) {
    BasicFileAttributes attributes;
    try {
      attributes = Files.readAttributes(path, BasicFileAttributes.class);
    } catch (NoSuchFileException e) {
      throw new InvalidImageException("the " + what + ' ' + path + " does not exist: " + advice, e);
    } catch (IOException e) {
      throw new InvalidImageException(
          "the " + what + ' ' + path + " cannot be read (" + e + "): check its permissions", e);
    }
    if (!attributes.isRegularFile()) {
      throw new InvalidImageException(
          "the " + what + ' ' + path + " must be a regular file: " + advice);
    }
    if (attributes.size() == 0) {
      throw new InvalidImageException("the " + what + ' ' + path + " is empty: " + advice);
    }
    return new FileStamp(path, attributes.size(), attributes.lastModifiedTime(), key(attributes));
  }

  /** Returns whether the file is still as it was. */
  public boolean isCurrent() {
    try {
      BasicFileAttributes now = Files.readAttributes(path, BasicFileAttributes.class);
      return now.size() == size && now.lastModifiedTime().equals(modified) && key(now).equals(key);
    } catch (IOException e) {
      return false;
    }
  }

  private static String key(BasicFileAttributes attributes) {
    return attributes.fileKey() == null ? "" : attributes.fileKey().toString();
  }

  /** Returns the stamp as one line; a path with a line feed makes one that is never current. */
  public String format() {
    return size + "\t" + modified + '\t' + key + '\t' + path;
  }

  /**
   * Reads what {@link #format()} wrote.
   *
   * @throws IllegalArgumentException if it is something else
   */
  static FileStamp parse(String line) {
    String[] parts = line.split("\t", 4);
    if (parts.length != 4) {
      throw new IllegalArgumentException("no file stamp: " + line);
    }
    try {
      return new FileStamp(
          Path.of(parts[3]),
          Long.parseLong(parts[0]),
          FileTime.from(Instant.parse(parts[1])),
          parts[2]);
    } catch (DateTimeException e) {
      throw new IllegalArgumentException("no file stamp: " + line, e);
    }
  }
}
