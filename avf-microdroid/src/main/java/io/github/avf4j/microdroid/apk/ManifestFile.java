package io.github.avf4j.microdroid.apk;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.microdroid.apk.PinnedSource.Pin;
import java.io.IOException;
import java.util.Optional;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/**
 * The manifest of an APK.
 *
 * @param pin its bytes in the file, where they were read
 * @param info what it says
 * @param fault why it could not be read
 */
record ManifestFile(Optional<Pin> pin, ManifestInfo info, Optional<String> fault) {
  private static final String NAME = "AndroidManifest.xml";
  private static final int MAX_BYTES = 4 << 20;

  static ManifestFile read(ApkFile apk) throws IOException {
    Optional<ZipEntry> entry = apk.directory().find(NAME);
    if (entry.isEmpty()) {
      return failed(Optional.empty(), "there is no " + NAME);
    }
    ZipEntry manifest = entry.get();
    if (manifest.size() > MAX_BYTES || manifest.compressedSize() > MAX_BYTES) {
      return failed(Optional.empty(), NAME + " has more than " + MAX_BYTES + " bytes");
    }
    ByteSlice raw =
        ByteSlice.takeOver(
            apk.file().readRange(manifest.dataOffset(), (int) manifest.compressedSize()));
    Optional<Pin> pin = Optional.of(new Pin(manifest.dataOffset(), raw));
    try {
      return new ManifestFile(pin, BinaryManifest.parse(content(manifest, raw)), Optional.empty());
    } catch (ApkException e) {
      return failed(pin, String.valueOf(e.getMessage()));
    }
  }

  private static ManifestFile failed(Optional<Pin> pin, String fault) {
    return new ManifestFile(pin, ManifestInfo.UNKNOWN, Optional.of(fault));
  }

  private static ByteSlice content(ZipEntry entry, ByteSlice raw) {
    ByteSlice content = entry.method() == ZipEntry.STORED ? raw : inflate(entry, raw);
    CRC32 crc = new CRC32();
    crc.update(content.asByteBuffer());
    if (crc.getValue() != entry.crc()) {
      throw new ApkException(ApkError.MANIFEST, NAME + " has another checksum than the zip says");
    }
    return content;
  }

  private static ByteSlice inflate(ZipEntry entry, ByteSlice raw) {
    byte[] content = new byte[(int) entry.size()];
    Inflater inflater = new Inflater(true);
    try {
      inflater.setInput(raw.asByteBuffer());
      int at = 0;
      while (at < content.length) {
        int count = inflater.inflate(content, at, content.length - at);
        if (count == 0) {
          throw new ApkException(ApkError.MANIFEST, NAME + " is shorter than the zip says");
        }
        at += count;
      }
      if (inflater.inflate(new byte[1]) != 0 || !inflater.finished()) {
        throw new ApkException(ApkError.MANIFEST, NAME + " is longer than the zip says");
      }
    } catch (DataFormatException e) {
      throw new ApkException(ApkError.MANIFEST, NAME + " cannot be inflated", -1, e);
    } finally {
      inflater.end();
    }
    return ByteSlice.takeOver(content);
  }
}
