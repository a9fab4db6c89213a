package io.github.avf4j.microdroid.apk;

import io.github.avf4j.attestation.ByteSlice;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/** Turns the bytes of an entry into its content; size and checksum must be what the zip says. */
final class EntryContent {
  private EntryContent() {}

  /**
   * Unpacks an entry; its size was bounded by the caller.
   *
   * @param raw the bytes in the archive
   * @throws ApkException of this error
   */
  static ByteSlice of(ZipEntry entry, ByteSlice raw, ApkError error) {
    ByteSlice content = entry.isStored() ? raw : inflate(entry, raw, error);
    CRC32 crc = new CRC32();
    crc.update(content.asByteBuffer());
    if (crc.getValue() != entry.crc()) {
      throw refused(entry, error, "has another checksum than the zip says");
    }
    return content;
  }

  private static ByteSlice inflate(ZipEntry entry, ByteSlice raw, ApkError error) {
    byte[] content = new byte[(int) entry.size()];
    Inflater inflater = new Inflater(true);
    try {
      inflater.setInput(raw.asByteBuffer());
      int at = 0;
      while (at < content.length) {
        int count = inflater.inflate(content, at, content.length - at);
        if (count == 0) {
          throw refused(entry, error, "is shorter than the zip says");
        }
        at += count;
      }
      if (inflater.inflate(new byte[1]) != 0 || !inflater.finished()) {
        throw refused(entry, error, "is longer than the zip says");
      }
    } catch (DataFormatException e) {
      throw new ApkException(error, entry.name() + " cannot be inflated", -1, e);
    } finally {
      inflater.end();
    }
    return ByteSlice.takeOver(content);
  }

  private static ApkException refused(ZipEntry entry, ApkError error, String what) {
    return new ApkException(error, entry.name() + " " + what);
  }
}
