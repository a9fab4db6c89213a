package io.github.avf4j.examples.protect;

import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.avb.AvbAlgorithm;
import io.github.avf4j.attestation.avb.AvbSigner;
import io.github.avf4j.attestation.avb.HashFooter;
import io.github.avf4j.attestation.avb.VbmetaBuilder;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/**
 * The payload with the footer of Android Verified Boot by which firmware knows it.
 *
 * @param file the image with its footer
 * @param digest the SHA-256 that the footer has, of salt and image
 */
record SignedKernel(Path file, ByteSlice digest) {
  private static final String RESOURCE = "protected-payload.bin";
  private static final String PARTITION = "boot";

  /** The signer's second version, which is as good as its first for everybody who has seen none. */
  private static final long ROLLBACK_INDEX = 2;

  /** Writes the payload to {@code file} and signs it. */
  static SignedKernel write(Path file, AvbSigner signer) throws IOException {
    copyTo(file);
    HashFooter.Made footer =
        HashFooter.forPartition(PARTITION)
            .addTo(
                file,
                new VbmetaBuilder()
                    .signedBy(signer, AvbAlgorithm.SHA256_RSA4096)
                    .rollbackIndex(ROLLBACK_INDEX));
    return new SignedKernel(file, footer.descriptor().digest());
  }

  private static void copyTo(Path file) throws IOException {
    try (InputStream in = SignedKernel.class.getResourceAsStream(RESOURCE)) {
      if (in == null) {
        throw new IOException(RESOURCE + " is missing: build this example with Maven");
      }
      Files.copy(in, file, StandardCopyOption.REPLACE_EXISTING);
    }
  }
}
