package io.github.avf4j.attestation.seal;

import io.github.avf4j.attestation.SecretBytes;
import io.github.avf4j.attestation.dice.Cdis;
import java.nio.file.Path;
import java.util.ServiceLoader;

/**
 * The root of trust of a device: a secret that only the device has and that never changes.
 *
 * <p>All identities and sealed data of the device hang on it. Another secret is another device:
 * nothing that was sealed before opens, and no chain continues. An implementation backed by
 * hardware is found as a {@link ServiceLoader} service and has a public constructor without
 * arguments. Implementations are thread-safe.
 */
public interface DeviceSecret {
  /** The length of the secret, in bytes. */
  int SIZE = 32;

  /** Where the secret comes from, for people: "file /var/lib/avf/device-secret". */
  String description();

  /**
   * A copy of the secret, {@link #SIZE} bytes, which the caller closes.
   *
   * @throws DeviceSecretException if it cannot be had
   */
  SecretBytes secret();

  /** The CDIs that the first layer of this device starts from. The caller closes them. */
  default Cdis cdis() {
    try (SecretBytes secret = secret()) {
      return Cdis.ofUniqueDeviceSecret(secret);
    }
  }

  /**
   * The secret of a service where one is installed, else the one in a file, which is created if
   * there is none. Blocks on the file.
   *
   * @throws DeviceSecretException if the file cannot be read, created or trusted
   */
  static DeviceSecret find(Path file) {
    return ServiceLoader.load(DeviceSecret.class)
        .findFirst()
        .orElseGet(() -> FileDeviceSecret.openOrCreate(file));
  }
}
