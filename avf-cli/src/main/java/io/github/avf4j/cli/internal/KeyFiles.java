package io.github.avf4j.cli.internal;

import io.github.avf4j.attestation.avb.AvbPublicKey;
import io.github.avf4j.attestation.avb.AvbSigner;
import io.github.avf4j.attestation.avb.RsaKeyFile;
import io.github.avf4j.microdroid.apk.SigningKey;
import java.nio.file.Path;
import java.util.Arrays;

/** Reads keys that options name. */
public final class KeyFiles {
  private static final int MAX_BYTES = 64 * 1024;
  private static final int MAX_PEM = 1 << 20;

  private KeyFiles() {}

  /** A public key from PEM, also that of a private key, or from a blob. */
  public static AvbPublicKey publicKey(Path file) {
    byte[] bytes = InputFile.read(file, MAX_BYTES);
    try {
      return RsaKeyFile.publicKey(bytes);
    } finally {
      Arrays.fill(bytes, (byte) 0);
    }
  }

  /** A private key from PEM. */
  public static AvbSigner signer(Path file) {
    byte[] bytes = InputFile.read(file, MAX_BYTES);
    try {
      return RsaKeyFile.signer(bytes);
    } finally {
      Arrays.fill(bytes, (byte) 0);
    }
  }

  /** The key and the certificates of whoever signs packages, from PEM. */
  public static SigningKey signingKey(Path key, Path certificates) {
    byte[] secret = InputFile.read(key, MAX_PEM);
    try {
      return SigningKey.ofPem(secret, InputFile.read(certificates, MAX_PEM));
    } finally {
      Arrays.fill(secret, (byte) 0);
    }
  }
}
