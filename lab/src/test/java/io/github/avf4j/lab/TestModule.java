package io.github.avf4j.lab;

import io.github.avf4j.attestation.avb.AvbSigner;
import io.github.avf4j.attestation.avb.RsaKeyFile;
import io.github.avf4j.microdroid.apex.ApexManifest;
import io.github.avf4j.microdroid.apex.ApexWriter;
import io.github.avf4j.microdroid.apex.VerifiedApex;
import io.github.avf4j.microdroid.image.Progress;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyPairGenerator;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** The APEX of the end-to-end tests, which has one file to read. */
final class TestModule {
  static final String NAME = "com.example.lab.module";

  /** Where the guest has the file. */
  static final String FILE = "/apex/" + NAME + "/etc/data.txt";

  private static final int BLOCK = 4096;
  private static final Map<String, AvbSigner> KEYS = new ConcurrentHashMap<>();

  private TestModule() {}

  /**
   * Makes the APEX.
   *
   * @param signer who has the same key for the same name, as long as this process lives
   */
  static VerifiedApex write(Path apex, String signer, String text) throws IOException {
    Path folder = Files.createTempDirectory(apex.getParent(), "module");
    Path etc = Files.createDirectory(folder.resolve("etc"));
    // Long enough for blocks of its own, which nobody reads before the payload does.
    Path file = Files.writeString(etc.resolve("data.txt"), text + " ".repeat(2 * BLOCK));
    // The payload is another user than the owner.
    for (Path path : new Path[] {folder, etc}) {
      Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwxr-xr-x"));
    }
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
    AvbSigner key = KEYS.computeIfAbsent(signer, name -> newKey());
    return new ApexWriter(ApexManifest.of(NAME, 3), key).write(folder, apex, Progress.NONE);
  }

  private static AvbSigner newKey() {
    try {
      KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
      generator.initialize(2048);
      byte[] key = generator.generateKeyPair().getPrivate().getEncoded();
      String pem =
          "-----BEGIN PRIVATE KEY-----\n%s\n-----END PRIVATE KEY-----\n"
              .formatted(Base64.getMimeEncoder().encodeToString(key));
      return RsaKeyFile.signer(pem.getBytes(StandardCharsets.US_ASCII));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
