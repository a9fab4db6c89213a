package io.github.avf4j.microdroid.erofs;

import java.io.ByteArrayOutputStream;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * The bytes of paths as the file system has them. The JDK keeps them whatever the locale is, but
 * shows them in URIs only: {@link Path#toString()} replaces what the locale does not know.
 */
final class PathBytes {
  private PathBytes() {}

  /** The last name of an absolute path. */
  static byte[] name(Path path) {
    byte[] all = absolute(path);
    int end = all.length;
    while (end > 0 && all[end - 1] == '/') {
      end--;
    }
    int start = end;
    while (start > 0 && all[start - 1] != '/') {
      start--;
    }
    return Arrays.copyOfRange(all, start, end);
  }

  /**
   * The target of a symbolic link.
   *
   * @param length of the target, which the file system knows
   */
  static byte[] target(Path target, int length) {
    byte[] all = absolute(target);
    int start = 0;
    if (!target.isAbsolute()) {
      byte[] here = absolute(Path.of("").toAbsolutePath());
      start = here[here.length - 1] == '/' ? here.length : here.length + 1;
    }
    // A URI of what is a folder here ends with one more slash.
    return Arrays.copyOfRange(all, start, start + length);
  }

  private static byte[] absolute(Path path) {
    String escaped = path.toUri().getRawPath();
    ByteArrayOutputStream out = new ByteArrayOutputStream(escaped.length());
    for (int i = 0; i < escaped.length(); i++) {
      char c = escaped.charAt(i);
      if (c == '%') {
        out.write(Integer.parseInt(escaped, i + 1, i + 3, 16));
        i += 2;
      } else {
        out.write(c);
      }
    }
    return out.toByteArray();
  }
}
