package io.github.avf4j.microdroid.base;

import io.github.avf4j.attestation.avb.AvbPublicKey;
import io.github.avf4j.attestation.avb.AvbSigner;
import io.github.avf4j.attestation.avb.RsaKeyFile;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/** A key that is not the development key. */
final class TestKey {
  private TestKey() {}

  static AvbSigner signer() throws IOException {
    return RsaKeyFile.signer(pem());
  }

  static AvbPublicKey publicKey() throws IOException {
    return signer().publicKey();
  }

  static byte[] pem() throws IOException {
    try (InputStream in = TestKey.class.getResourceAsStream("/vectors/avb/testkey_rsa4096.pem")) {
      return in.readAllBytes();
    }
  }

  /** The public key alone, in AVB's format. */
  static Path writeBlob(Path file) throws IOException {
    return Files.write(file, publicKey().blob().toByteArray());
  }
}
