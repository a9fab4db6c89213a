package io.github.avf4j.examples.hello;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * Text of any length that looks random and is the same each time: printable ASCII, with a line feed
 * about every 64 characters.
 *
 * <p>Confined to one thread.
 */
final class GeneratedText {
  private static final int BLOCK = 1 << 18;

  private final long size;
  private final byte[] block = new byte[BLOCK];
  private long done;
  private long state = 0x9e3779b97f4a7c15L;

  /**
   * The digest of a text.
   *
   * @param sha256 its SHA-256 in hexadecimal
   * @param lines how many line feeds it has
   */
  record Summary(String sha256, long lines) {}

  GeneratedText(long size) {
    this.size = size;
  }

  /** Returns the next part, valid until the next call; empty at the end. */
  ByteBuffer next() {
    int count = (int) Math.min(BLOCK, size - done);
    for (int i = 0; i < count; i += 8) {
      // xorshift: quick, and good enough for text.
      state ^= state << 13;
      state ^= state >>> 7;
      state ^= state << 17;
      long bits = state;
      for (int j = i; j < i + 8; j++) {
        int letter = (int) (bits & 63);
        block[j] = (byte) (letter == 0 ? '\n' : ' ' + letter);
        bits >>>= 8;
      }
    }
    done += count;
    return ByteBuffer.wrap(block, 0, count);
  }

  /** Digests a whole text of {@code size} bytes. */
  static Summary summary(long size) {
    GeneratedText text = new GeneratedText(size);
    MessageDigest digest;
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
    long lines = 0;
    ByteBuffer part;
    while ((part = text.next()).hasRemaining()) {
      for (int i = 0; i < part.limit(); i++) {
        lines += part.get(i) == '\n' ? 1 : 0;
      }
      digest.update(part);
    }
    return new Summary(HexFormat.of().formatHex(digest.digest()), lines);
  }
}
