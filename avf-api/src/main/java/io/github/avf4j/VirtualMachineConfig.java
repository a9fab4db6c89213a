package io.github.avf4j;

import io.github.avf4j.internal.AvfStyle;
import io.github.avf4j.internal.Require;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.immutables.value.Value;

/**
 * What a virtual machine is made of.
 *
 * <p>It has either a {@link #payload()} or a {@link #customImage()}.
 *
 * <p>Thread-safe.
 */
@Value.Immutable
@AvfStyle
public interface VirtualMachineConfig {
  /** The least memory that a machine may have: 2 MiB. */
  DataSize MIN_MEMORY = DataSize.ofMebibytes(2);

  /** Returns what the machine runs. */
  Optional<Payload> payload();

  /** Returns the kernel of the user's own that the machine boots instead of a payload. */
  Optional<CustomImageConfig> customImage();

  /** Returns the kernel under the payload, by default the one that {@code bin/setup} fetched. */
  @Value.Default
  default KernelImage kernel() {
    return KernelImage.installed();
  }

  /**
   * Returns the folder of a base image that {@code avf microdroid build} made, which the machine
   * boots instead of one that is made of {@link #kernel()}. Goes with an {@link ApkPayload} or a
   * {@link JavaPayload} only; its files are checked when the machine is run.
   */
  Optional<Path> baseImage();

  /**
   * Returns the file with the public RSA key that must have signed {@link #baseImage()}: PEM, also
   * that of the private key, or AVB's own format. The machine's firmware trusts this key and no
   * other; without it, it trusts the key for development, which everybody has. An instance keeps
   * its secrets with every image of the same key, and is refused with one of another key.
   */
  Optional<Path> baseImageKey();

  /** Returns the guest's memory, a multiple of 4096 bytes; 256 MiB by default. */
  @Value.Default
  default DataSize memory() {
    return DataSize.ofMebibytes(256);
  }

  /** Returns the number of vCPUs, one by default. */
  @Value.Default
  default CpuTopology cpuTopology() {
    return CpuTopology.oneCpu();
  }

  /** Returns how much of the machine the host may look at; {@link DebugLevel#NONE} by default. */
  @Value.Default
  default DebugLevel debugLevel() {
    return DebugLevel.NONE;
  }

  /** Returns whether console and log output can be read; needs {@link DebugLevel#FULL}. */
  @Value.Default
  default boolean outputCaptured() {
    return false;
  }

  /** Returns whether the console can be written to; needs {@link DebugLevel#FULL}. */
  @Value.Default
  default boolean consoleInputSupported() {
    return false;
  }

  /** Returns from whom the machine is protected; {@link ProtectionLevel#NONE} by default. */
  @Value.Default
  default ProtectionLevel protectionLevel() {
    return ProtectionLevel.NONE;
  }

  /**
   * Returns the size of the disk that the guest encrypts with a key of its instance and that the
   * payload finds at {@code /mnt/encryptedstore}; none by default. Goes with an {@link ApkPayload}
   * or a {@link JavaPayload} only, is rounded up to a multiple of 4096 bytes, and stays what it is
   * once the machine has run.
   */
  Optional<DataSize> encryptedStorage();

  /**
   * Returns whether the instance may run newer versions of its payload: then its secrets are those
   * of all versions of one signer, and a keeper of secrets on this host, instead of an instance
   * image, sees to it that no older version gets them. What is older than what ran before, of
   * another signer or of another debug level ends with {@link StopReason.MicrodroidError}. By
   * default true for a {@link JavaPayload}, which changes with every build and every JDK (whose
   * version must not fall either), and false for others. Goes with an {@link ApkPayload} or a
   * {@link JavaPayload} only.
   */
  @Value.Default
  default boolean updatable() {
    return payload().filter(JavaPayload.class::isInstance).isPresent();
  }

  /**
   * Returns how long the guest may take until its payload is started, 60 seconds by default; after
   * that it is stopped with {@link StopReason.Hangup}. Does not apply to custom images.
   */
  @Value.Default
  default Duration bootTimeout() {
    return Duration.ofSeconds(60);
  }

  /** Returns the backend to use, {@code kvm} or {@code qemu}; chosen by a probe when empty. */
  Optional<String> backend();

  /** Rejects configurations that contradict themselves. */
  @Value.Check
  default void check() {
    Require.state(
        payload().isPresent() != customImage().isPresent(),
        "either a payload or a custom image must be given, not %s",
        payload().isPresent() ? "both" : "none of them");
    payload()
        .ifPresent(
            payload -> {
              if (payload instanceof ApkPayload apk) {
                apk.requireComplete();
              }
            });
    Require.memory(memory(), MIN_MEMORY);
    Require.state(
        debugLevel() == DebugLevel.FULL || !outputCaptured(),
        "outputCaptured needs debugLevel FULL but it was %s",
        debugLevel());
    Require.state(
        debugLevel() == DebugLevel.FULL || !consoleInputSupported(),
        "consoleInputSupported needs debugLevel FULL but it was %s",
        debugLevel());
    boolean apk =
        payload()
            .filter(payload -> payload instanceof ApkPayload || payload instanceof JavaPayload)
            .isPresent();
    Require.state(
        apk || encryptedStorage().isEmpty(),
        "encryptedStorage needs an APK payload, whose secrets encrypt it, but was %s",
        encryptedStorage().orElse(null));
    Require.state(
        encryptedStorage().isEmpty() || encryptedStorage().get().bytes() > 0,
        "encryptedStorage must not be 0 bytes: leave it out");
    Require.state(apk || !updatable(), "updatable needs an APK payload");
    Require.state(
        apk || baseImage().isEmpty(),
        "baseImage needs an APK payload, but was %s",
        baseImage().orElse(null));
    Require.state(
        baseImage().isPresent() || baseImageKey().isEmpty(),
        "baseImageKey needs a baseImage that it signed, but was %s",
        baseImageKey().orElse(null));
    Require.state(
        baseImage().isEmpty() || kernel().equals(KernelImage.installed()),
        "baseImage %s has a kernel of its own, so that there must be no other, but there was %s",
        baseImage().orElse(null),
        kernel().image());
    Require.state(
        bootTimeout().compareTo(Duration.ZERO) > 0,
        "bootTimeout must be positive but was %s",
        bootTimeout());
  }

  /** Returns a new builder. */
  static Builder builder() {
    return new Builder();
  }

  /** Builds a {@link VirtualMachineConfig}. Confined to one thread. */
  final class Builder extends ImmutableVirtualMachineConfig.Builder {
    Builder() {}
  }
}
