package io.github.avf4j.microdroid.boot;

import io.github.avf4j.microdroid.image.ImageException;
import io.github.avf4j.microdroid.image.ImageFormat;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** Text in fields of a fixed length, which NUL ends unless the field is full. */
final class HeaderText {
  private HeaderText() {}

  static String read(ByteBuffer header, int at, int length) {
    int end = at;
    while (end < at + length && header.get(end) != 0) {
      end++;
    }
    return new String(header.array(), at, end - at, StandardCharsets.UTF_8);
  }

  /** Writes a text and its NUL, for which a reader in C needs room. */
  static void write(ByteBuffer header, int at, int length, String text, ImageFormat format) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    if (bytes.length >= length || text.indexOf('\0') >= 0) {
      throw new ImageException(
          format,
          "a text of %d bytes does not fit into %d with its NUL: \"%s\""
              .formatted(bytes.length, length, text));
    }
    header.put(at, bytes);
  }
}
