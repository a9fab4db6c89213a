package io.github.avf4j.microdroid.java;

import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.attestation.verity.VerityHash;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.security.MessageDigest;

/** Digests of files that do not fit into memory. */
final class Digests {
  private Digests() {}

  static byte[] sha256(Path file) throws IOException {
    MessageDigest digest = VerityHash.SHA256.newDigest();
    try (FileChannel channel = FileChannel.open(file)) {
      ImageSource source = ImageSource.of(channel);
      source.digest(digest, 0, source.size());
    }
    return digest.digest();
  }
}
