package io.github.avf4j.service;

import io.github.avf4j.VirtualMachineConfig;
import io.github.avf4j.attestation.avb.AvbPublicKey;
import io.github.avf4j.attestation.remote.HostRoot;
import io.github.avf4j.attestation.seal.DeviceSecret;
import io.github.avf4j.microdroid.CacheFolder;
import io.github.avf4j.microdroid.base.BaseImages;
import io.github.avf4j.microdroid.base.DevelopmentKey;
import io.github.avf4j.microdroid.base.HostFirmware;
import io.github.avf4j.microdroid.base.TrustedBaseImage;
import io.github.avf4j.microdroid.java.JavaPayloadPackager;
import io.github.avf4j.service.attest.AttestationAuthority;
import io.github.avf4j.service.attest.HostAttestation;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What all machines with APK payloads of this host share: base images, the packager of Java
 * classes, the secret of the device for their firmware, and who certifies keys.
 *
 * <p>Thread-safe.
 */
final class MicrodroidHost {
  private static final String DEVICE_SECRET = "device-secret";

  private final BaseImages images;
  private final JavaPayloadPackager java;
  private final Path data;

  // Guarded by this. Made when it is first needed, so that others leave no secret behind.
  private @Nullable DeviceSecret secret;
  private final Map<TrustedBaseImage, AttestationAuthority> authorities = new HashMap<>();

  /** Keeps images in {@code cache}, and the secrets of the device and keys in {@code data}. */
  MicrodroidHost(CacheFolder cache, Path data) {
    this.images = new BaseImages(cache);
    this.java = new JavaPayloadPackager(cache, data);
    this.data = data;
  }

  JavaPayloadPackager java() {
    return java;
  }

  /** Returns what a machine of this configuration boots. */
  TrustedBaseImage image(VirtualMachineConfig config) {
    return config
        .baseImage()
        .map(folder -> images.open(folder, config.baseImageKey()))
        .orElseGet(
            () -> TrustedBaseImage.of(images.image(config.kernel()), DevelopmentKey.publicKey()));
  }

  /**
   * Returns the firmware of machines whose base images must be signed with {@code key}.
   *
   * @throws io.github.avf4j.attestation.seal.DeviceSecretException if there is no secret and none
   *     can be made
   */
  HostFirmware firmware(AvbPublicKey key) {
    return new HostFirmware(deviceSecret(), List.of(key));
  }

  private synchronized DeviceSecret deviceSecret() {
    if (secret == null) {
      secret = DeviceSecret.find(data.resolve(DEVICE_SECRET));
    }
    return secret;
  }

  /** Returns who certifies keys of guests that boot from {@code image}. */
  synchronized AttestationAuthority authority(TrustedBaseImage image) {
    return authorities.computeIfAbsent(
        image,
        made ->
            new HostAttestation(
                firmware(made.key()), made.image(), data.resolve(HostRoot.FILE_NAME)));
  }
}
