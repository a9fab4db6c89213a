package io.github.avf4j.service;

import io.github.avf4j.attestation.remote.HostRoot;
import io.github.avf4j.attestation.seal.DeviceSecret;
import io.github.avf4j.microdroid.CacheFolder;
import io.github.avf4j.microdroid.base.BaseImage;
import io.github.avf4j.microdroid.base.BaseImages;
import io.github.avf4j.microdroid.base.DevelopmentKey;
import io.github.avf4j.microdroid.base.HostFirmware;
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
 * classes, the firmware with the secret of the device, and who certifies keys.
 *
 * <p>Thread-safe.
 */
final class MicrodroidHost {
  private static final String DEVICE_SECRET = "device-secret";

  private final BaseImages images;
  private final JavaPayloadPackager java;
  private final Path data;

  // Guarded by this. Made when it is first needed, so that others leave no secret behind.
  private @Nullable HostFirmware firmware;
  private final Map<BaseImage, AttestationAuthority> authorities = new HashMap<>();

  /** Keeps images in {@code cache}, and the secrets of the device and keys in {@code data}. */
  MicrodroidHost(CacheFolder cache, Path data) {
    this.images = new BaseImages(cache);
    this.java = new JavaPayloadPackager(cache, data);
    this.data = data;
  }

  BaseImages images() {
    return images;
  }

  JavaPayloadPackager java() {
    return java;
  }

  /**
   * Returns the firmware.
   *
   * @throws io.github.avf4j.attestation.seal.DeviceSecretException if there is no secret and none
   *     can be made
   */
  synchronized HostFirmware firmware() {
    if (firmware == null) {
      firmware =
          new HostFirmware(
              DeviceSecret.find(data.resolve(DEVICE_SECRET)), List.of(DevelopmentKey.publicKey()));
    }
    return firmware;
  }

  /** Returns who certifies keys of guests that boot from {@code image}. */
  synchronized AttestationAuthority authority(BaseImage image) {
    return authorities.computeIfAbsent(
        image, made -> new HostAttestation(firmware(), made, data.resolve(HostRoot.FILE_NAME)));
  }
}
