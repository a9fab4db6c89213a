package io.github.avf4j.kvm;

import io.github.avf4j.BackendUnavailableException;
import io.github.avf4j.kvm.boot.Platform;
import io.github.avf4j.kvm.boot.arm64.Arm64Platform;
import io.github.avf4j.kvm.boot.x86.X86Platform;
import java.util.Map;
import java.util.Optional;

/** Finds the platform of the processor that this JVM runs on. Thread-safe. */
final class Platforms {
  /** By the names that JVMs have for processors. */
  private static final Map<String, Platform> BY_PROCESSOR =
      Map.of("amd64", new X86Platform(), "aarch64", new Arm64Platform());

  private Platforms() {}

  /** Returns this host's platform, if machines run on it. */
  static Optional<Platform> find() {
    return Optional.ofNullable(BY_PROCESSOR.get(System.getProperty("os.arch")));
  }

  /**
   * Returns this host's platform.
   *
   * @throws BackendUnavailableException if machines do not run on its processor
   */
  static Platform require() {
    return find()
        .orElseThrow(
            () ->
                new BackendUnavailableException(
                    "the backend kvm runs on x86-64 and arm64 only: use the backend qemu on this"
                        + " machine"));
  }
}
