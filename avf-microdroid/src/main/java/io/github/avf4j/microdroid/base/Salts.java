package io.github.avf4j.microdroid.base;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.verity.VerityHash;
import java.nio.charset.StandardCharsets;

/** The salts of partitions, which are fixed so that equal content makes equal images. */
final class Salts {
  /** The word whose digest salts the kernel; Android's is not the name of the partition. */
  static final String KERNEL = "bootloader";

  private Salts() {}

  /** The SHA-256 of a word. */
  static ByteSlice of(String word) {
    byte[] bytes = word.getBytes(StandardCharsets.US_ASCII);
    return ByteSlice.takeOver(VerityHash.SHA256.newDigest().digest(bytes));
  }
}
