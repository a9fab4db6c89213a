package io.github.avf4j.cli.attestation;

import io.github.avf4j.attestation.avb.AvbPublicKey;
import io.github.avf4j.attestation.avb.AvbSigner;
import io.github.avf4j.attestation.avb.RsaKeyFile;
import java.nio.file.Path;
import java.util.Arrays;

/** Reads RSA keys that options name. */
final class KeyFiles {
  static final int MAX_BYTES = 64 * 1024;

  private KeyFiles() {}

  /** A public key from PEM, also that of a private key, or from a blob. */
  static AvbPublicKey publicKey(Path file) {
    byte[] bytes = InputFile.read(file, MAX_BYTES);
    try {
      return RsaKeyFile.publicKey(bytes);
    } finally {
      Arrays.fill(bytes, (byte) 0);
    }
  }

  /** A private key from PEM. */
  static AvbSigner signer(Path file) {
    byte[] bytes = InputFile.read(file, MAX_BYTES);
    try {
      return RsaKeyFile.signer(bytes);
    } finally {
      Arrays.fill(bytes, (byte) 0);
    }
  }
}
