package io.github.avf4j.microdroid.base;

import io.github.avf4j.InvalidImageException;
import io.github.avf4j.attestation.avb.AvbPublicKey;
import io.github.avf4j.attestation.avb.AvbSigner;
import io.github.avf4j.attestation.avb.RsaKeyFile;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;

/**
 * The key that signs base images for development. It is published with this library, so that
 * anybody can sign with it: an image that it signed proves nothing. Thread-safe.
 */
public final class DevelopmentKey {
  private static final String RESOURCE =
      "/io/github/avf4j/microdroid/base/development-only-rsa4096.pem";

  private DevelopmentKey() {}

  /** Signs for development. */
  public static AvbSigner signer() {
    byte[] pem = read();
    try {
      return RsaKeyFile.signer(pem);
    } finally {
      Arrays.fill(pem, (byte) 0);
    }
  }

  /** The key that verifies what {@link #signer} signed. */
  public static AvbPublicKey publicKey() {
    return signer().publicKey();
  }

  private static byte[] read() {
    try (InputStream in = DevelopmentKey.class.getResourceAsStream(RESOURCE)) {
      if (in == null) {
        throw new InvalidImageException(
            "the development key is missing from avf-microdroid: give a key of your own");
      }
      return in.readAllBytes();
    } catch (IOException e) {
      throw new InvalidImageException(
          "the development key cannot be read from avf-microdroid (" + e + "): check the jar", e);
    }
  }
}
