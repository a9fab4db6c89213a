package io.github.avf4j.attestation.seal;

import io.github.avf4j.attestation.SecretBytes;
import io.github.avf4j.attestation.internal.DurableFiles;
import io.github.avf4j.attestation.internal.OwnerFile;
import java.nio.file.Path;
import java.security.SecureRandom;

/**
 * A device secret in a file that is created once, with access for its owner alone.
 *
 * <p>The file appears complete and durable or not at all, and is never written again: of two
 * processes that create it at once, one wins and both use its secret. A file that is gone gives a
 * new secret, so another identity; a file that is damaged, or that others can read, is refused and
 * never replaced. Read once, then kept in memory. Thread-safe.
 */
public final class FileDeviceSecret implements DeviceSecret {
  private static final OwnerFile.Kind KIND =
      new OwnerFile.Kind(
          "device secret",
          "give this device a new identity",
          new byte[] {'A', 'V', 'F', 'U', 'D', 'S', '1', '\n'},
          SIZE,
          DeviceSecretException::new);

  private final Path file;
  private final SecretBytes secret;

  private FileDeviceSecret(Path file, SecretBytes secret) {
    this.file = file;
    this.secret = secret;
  }

  /**
   * Opens the file, or creates it with 32 random bytes. Missing directories are created. Blocks on
   * the file system.
   *
   * @throws DeviceSecretException if the file cannot be read or created, is damaged, is accessible
   *     to others, or is in a directory that others may write to
   */
  public static FileDeviceSecret openOrCreate(Path file) {
    return openOrCreate(file, DurableFiles.Steps.NONE);
  }

  static FileDeviceSecret openOrCreate(Path file, DurableFiles.Steps steps) {
    SecretBytes secret =
        SecretBytes.takeOver(
            OwnerFile.openOrCreate(file, KIND, FileDeviceSecret::newSecret, steps));
    if (secret.length() != SIZE) {
      secret.close();
      throw OwnerFile.damaged(file, KIND, null);
    }
    return new FileDeviceSecret(file.toAbsolutePath(), secret);
  }

  private static byte[] newSecret() {
    byte[] random = new byte[SIZE];
    new SecureRandom().nextBytes(random);
    return random;
  }

  @Override
  public String description() {
    return "file " + file;
  }

  @Override
  public SecretBytes secret() {
    return secret.copy();
  }

  @Override
  public String toString() {
    return "FileDeviceSecret[" + file + "]";
  }
}
