package io.github.avf4j.attestation.avb;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.verity.VerityHash;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;

/** The inputs that expected.json describes. */
final class KnownImages {
  static final ByteSlice SALT = ByteSlice.ofHex("d00df00d");

  private KnownImages() {}

  static byte[] counting(int size) {
    byte[] bytes = new byte[size];
    for (int i = 0; i < size; i++) {
      bytes[i] = (byte) i;
    }
    return bytes;
  }

  static byte[] withRuns() {
    byte[] bytes = counting(1052672);
    for (int i = 0; i < bytes.length; i++) {
      if (in(i, 5000, 105000) || in(i, 205000, 305000) || in(i, 505000, 605000)) {
        bytes[i] = (byte) (i & 3);
      }
    }
    return bytes;
  }

  static byte[] linear(int size, int factor, int start) {
    byte[] bytes = new byte[size];
    for (int i = 0; i < size; i++) {
      bytes[i] = (byte) (factor * i + start);
    }
    return bytes;
  }

  static ByteSlice saltOf(String ascii) {
    MessageDigest digest = VerityHash.SHA256.newDigest();
    return ByteSlice.takeOver(digest.digest(ascii.getBytes(StandardCharsets.US_ASCII)));
  }

  private static boolean in(int i, int from, int to) {
    return from <= i && i < to;
  }
}
