package io.github.avf4j.microdroid.apk;

import java.io.IOException;
import java.util.Optional;

/**
 * The manifest of an APK.
 *
 * @param info what it says
 * @param fault why it could not be read
 */
record ManifestFile(ManifestInfo info, Optional<String> fault) {
  private static final String NAME = "AndroidManifest.xml";
  private static final int MAX_BYTES = 4 << 20;

  static ManifestFile read(ApkFile apk) throws IOException {
    Optional<ZipEntry> entry = apk.directory().find(NAME);
    if (entry.isEmpty()) {
      return failed("there is no " + NAME);
    }
    try {
      return new ManifestFile(
          BinaryManifest.parse(apk.read(entry.get(), MAX_BYTES, ApkError.MANIFEST)),
          Optional.empty());
    } catch (ApkException e) {
      return failed(String.valueOf(e.getMessage()));
    }
  }

  private static ManifestFile failed(String fault) {
    return new ManifestFile(ManifestInfo.UNKNOWN, Optional.of(fault));
  }
}
