package io.github.avf4j;

import java.nio.file.Path;
import java.util.Optional;

/**
 * What runs in a machine before its kernel, gets the kernel's file with what its signer appended,
 * and decides whether it runs. On arm64 only.
 *
 * <p>A machine whose firmware refuses the kernel stops with {@link StopReason.FirmwareRefused}.
 *
 * <p>Thread-safe.
 */
public sealed interface Firmware {
  /**
   * Returns AVF's protected VM firmware as avf4j has it, which trusts the key for development that
   * everybody has.
   */
  static Pvmfw pvmfw() {
    return new Pvmfw(Optional.empty());
  }

  /**
   * Returns AVF's protected VM firmware as avf4j has it, for kernels of one signer.
   *
   * @param trustedKey the file with the public RSA key that must have signed the kernel: PEM, also
   *     that of the private key, or AVB's own format
   */
  static Pvmfw pvmfw(Path trustedKey) {
    return new Pvmfw(Optional.of(trustedKey));
  }

  /**
   * Returns firmware of the user's own.
   *
   * @param file the binary, and at the next multiple of 4096 bytes its configuration data; at most
   *     2 MiB
   */
  static Image image(Path file) {
    return new Image(file);
  }

  /**
   * AVF's protected VM firmware: verifies the kernel's AVB footer and the RAM disk, and derives the
   * secrets and the DICE chain of what runs next from those of this host.
   *
   * @param trustedKey the signer's key; the one for development if there is none
   */
  record Pvmfw(Optional<Path> trustedKey) implements Firmware {
    /** Makes the path absolute. */
    public Pvmfw {
      trustedKey = trustedKey.map(Path::toAbsolutePath);
    }
  }

  /**
   * Firmware of the user's own.
   *
   * @param file binary and configuration data
   */
  record Image(Path file) implements Firmware {
    /** Makes the path absolute. */
    public Image {
      file = file.toAbsolutePath();
    }
  }
}
