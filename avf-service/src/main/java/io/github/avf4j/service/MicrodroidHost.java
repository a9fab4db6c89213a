package io.github.avf4j.service;

import io.github.avf4j.StoreException;
import io.github.avf4j.VirtualMachineConfig;
import io.github.avf4j.attestation.AttestationException;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.avb.AvbPublicKey;
import io.github.avf4j.attestation.remote.HostRoot;
import io.github.avf4j.attestation.seal.DeviceSecret;
import io.github.avf4j.attestation.seal.SecretKeeperException;
import io.github.avf4j.microdroid.CacheFolder;
import io.github.avf4j.microdroid.base.BaseImages;
import io.github.avf4j.microdroid.base.DevelopmentKey;
import io.github.avf4j.microdroid.base.HostFirmware;
import io.github.avf4j.microdroid.base.TrustedBaseImage;
import io.github.avf4j.microdroid.java.JavaPayloadPackager;
import io.github.avf4j.microdroid.payload.VmFolder;
import io.github.avf4j.service.attest.AttestationAuthority;
import io.github.avf4j.service.attest.HostAttestation;
import io.github.avf4j.service.keeper.HostKeeper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What all machines with APK payloads of this host share: base images, the packager of Java
 * classes, the secret of the device for their firmware, who certifies keys, and the keeper of
 * secrets.
 *
 * <p>Thread-safe.
 */
final class MicrodroidHost {
  private static final Logger log = LoggerFactory.getLogger(MicrodroidHost.class);
  private static final String DEVICE_SECRET = "device-secret";

  private final BaseImages images;
  private final JavaPayloadPackager java;
  private final Path data;

  // Guarded by this. Made when it is first needed, so that others leave no secret behind.
  private @Nullable DeviceSecret secret;
  private @Nullable HostKeeper keeper;
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

  /**
   * Returns the keeper of secrets.
   *
   * @throws io.github.avf4j.attestation.seal.DeviceSecretException as {@link #firmware} does
   * @throws StoreException if the keeper's folder cannot be used
   */
  synchronized HostKeeper keeper() {
    if (keeper == null) {
      try {
        keeper = HostKeeper.open(deviceSecret(), data.resolve(HostKeeper.FOLDER));
      } catch (SecretKeeperException e) {
        throw new StoreException(
            e.getMessage() + "; updatable machines need it: make it a folder of yours alone", e);
      }
    }
    return keeper;
  }

  /**
   * Deletes a machine's files, then what the keeper has of it: an end in between leaves secrets
   * that nobody can ask for, and never a machine without its secrets.
   *
   * @throws StoreException as {@link Store#delete} does; the keeper's failures are only logged
   */
  void delete(Store store, String name) {
    Optional<ByteSlice> id = new VmFolder(store.folder(name)).instanceId();
    store.delete(name);
    if (id.isPresent() && Files.isDirectory(data.resolve(HostKeeper.FOLDER))) {
      try {
        keeper().forget(id.get());
      } catch (AttestationException | StoreException e) {
        log.warn("the secrets of the deleted VM '{}' are still kept: {}", name, e.getMessage(), e);
      }
    }
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
