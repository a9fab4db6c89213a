package io.github.avf4j.microdroid.erofs;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.UUID;
import java.util.zip.CRC32;
import java.util.zip.CRC32C;

/**
 * A UUID from content: SHA-256 over two checksums of each piece. It tells builds apart, not
 * forgeries, and so need not digest every byte. Confined to one thread.
 */
final class ContentId {
  private final MessageDigest digest;

  ContentId() {
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }

  /** Adds a piece; the same content in other pieces gives another UUID. */
  void add(byte[] bytes, int length) {
    CRC32 crc32 = new CRC32();
    crc32.update(bytes, 0, length);
    CRC32C crc32c = new CRC32C();
    crc32c.update(bytes, 0, length);
    digest.update(
        ByteBuffer.allocate(3 * Integer.BYTES)
            .putInt(length)
            .putInt((int) crc32.getValue())
            .putInt((int) crc32c.getValue())
            .array());
  }

  /** The UUID, of version 8, which is for digests. */
  UUID finish() {
    byte[] hash = Arrays.copyOf(digest.digest(), 16);
    hash[6] = (byte) (hash[6] & 0x0f | 0x80);
    hash[8] = (byte) (hash[8] & 0x3f | 0x80);
    ByteBuffer bytes = ByteBuffer.wrap(hash);
    return new UUID(bytes.getLong(), bytes.getLong());
  }
}
