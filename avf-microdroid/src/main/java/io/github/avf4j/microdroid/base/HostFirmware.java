package io.github.avf4j.microdroid.base;

import io.github.avf4j.InvalidImageException;
import io.github.avf4j.attestation.ByteSlice;
import io.github.avf4j.attestation.avb.AvbPublicKey;
import io.github.avf4j.attestation.dice.AndroidProfile;
import io.github.avf4j.attestation.dice.ConfigDescriptor;
import io.github.avf4j.attestation.dice.DiceCertificateIssuer;
import io.github.avf4j.attestation.dice.DiceHandover;
import io.github.avf4j.attestation.dice.DiceInput;
import io.github.avf4j.attestation.dice.DiceMode;
import io.github.avf4j.attestation.pvmfw.BootMaterial;
import io.github.avf4j.attestation.pvmfw.InstanceImage;
import io.github.avf4j.attestation.pvmfw.NextHandover;
import io.github.avf4j.attestation.pvmfw.PvmFirmware;
import io.github.avf4j.attestation.pvmfw.VerifiedPayload;
import io.github.avf4j.attestation.remote.KernelDigests;
import io.github.avf4j.attestation.seal.DeviceSecret;
import io.github.avf4j.attestation.verity.ImageSource;
import io.github.avf4j.attestation.verity.VerityHash;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The firmware of guests, played by the host, because no hypervisor keeps one: verifies a base
 * image and derives a guest's secrets and chain from the secret of this device.
 *
 * <p>A guest's chain has a layer of the host, in normal mode, and one of the firmware, always in
 * debug mode: a host that plays the firmware could read the guest's secrets, and no verifier shall
 * take it for one that cannot. The secrets do not depend on the version of this library.
 *
 * <p>Thread-safe, but an instance image is confined to one boot at a time.
 */
public final class HostFirmware {
  /** The length of the ids by which the host tells instances apart, in bytes. */
  public static final int INSTANCE_ID_SIZE = 64;

  private static final DiceCertificateIssuer ISSUER =
      DiceCertificateIssuer.of(AndroidProfile.ANDROID_16);
  private static final long VERSION = 1;

  private final DeviceSecret secret;
  private final List<AvbPublicKey> trustedKeys;

  /**
   * Which guest boots.
   *
   * @param debuggable whether it can be debugged: decides which RAM disk is taken
   * @param id 64 bytes that are the instance's own from its first boot on
   * @param deferRollbackProtection whether the guest protects itself, with a keeper of secrets
   * @param image the instance image, which is needed where the guest does not protect itself and
   *     may be written to, else null
   */
  public record Instance(
      boolean debuggable,
      ByteSlice id,
      boolean deferRollbackProtection,
      @Nullable InstanceImage image) {
    /** Checks the length. */
    public Instance {
      if (id.length() != INSTANCE_ID_SIZE) {
        throw new IllegalArgumentException(
            "an instance id must have 64 bytes but has " + id.length());
      }
    }
  }

  /**
   * A service VM that the host plays. Closing wipes its secrets.
   *
   * @param handover its secrets and its chain
   * @param kernel what guests of the image boot
   */
  public record ServiceVmLayer(DiceHandover handover, KernelDigests kernel)
      implements AutoCloseable {
    /** Wipes the secrets. */
    @Override
    public void close() {
      handover.close();
    }
  }

  /**
   * Makes the firmware of this device.
   *
   * @param secret the device's
   * @param trustedKeys the keys that may sign base images, at least one
   */
  public HostFirmware(DeviceSecret secret, List<AvbPublicKey> trustedKeys) {
    if (trustedKeys.isEmpty()) {
      throw new IllegalArgumentException("trustedKeys must not be empty: nothing would boot");
    }
    this.secret = secret;
    this.trustedKeys = List.copyOf(trustedKeys);
  }

  /**
   * Verifies kernel and RAM disk and derives what the guest starts with. Reads both files once or
   * twice; nothing else may write to them meanwhile or until they are loaded.
   *
   * @return the handover, which the caller closes
   * @throws io.github.avf4j.attestation.pvmfw.PvmfwException with the error and the reboot reason
   *     if the guest must not run
   * @throws io.github.avf4j.attestation.seal.DeviceSecretException if the secret cannot be had
   * @throws InvalidImageException if a file cannot be read
   */
  public NextHandover boot(BaseImage image, Instance instance) {
    try (FileChannel kernel = FileChannel.open(image.kernel());
        FileChannel initrd = FileChannel.open(image.initrd(instance.debuggable()));
        DiceHandover handover = handover()) {
      BootMaterial material =
          BootMaterial.of(ImageSource.of(kernel), trustedKeys.get(0))
              .withExtraKeys(trustedKeys.subList(1, trustedKeys.size()))
              .withInitrd(ImageSource.of(initrd))
              .withInstanceId(instance.id())
              .withDeferredRollbackProtection(instance.deferRollbackProtection());
      return PvmFirmware.boot(handover, material, instance.image());
    } catch (IOException e) {
      throw unreadable(image, e);
    }
  }

  /**
   * What a service VM would start with that certifies the keys of guests of this image: the layers
   * of the host and of the firmware, as guests have them, and one of its own with the same signer
   * and the marker of a service VM. As the host plays this one too, its layer is in debug mode.
   * Reads the image's kernel and both its RAM disks.
   *
   * @return the layer, which the caller closes
   * @throws io.github.avf4j.attestation.pvmfw.PvmfwException if the image is not to be trusted
   * @throws io.github.avf4j.attestation.seal.DeviceSecretException if the secret cannot be had
   * @throws InvalidImageException if a file cannot be read
   */
  public ServiceVmLayer serviceVm(BaseImage image) {
    VerifiedPayload normal = verify(image, false);
    VerifiedPayload debuggable = verify(image, true);
    KernelDigests kernel =
        new KernelDigests(
            normal.kernelDigest(),
            normal.initrdDigest().orElseThrow(),
            debuggable.initrdDigest().orElseThrow());
    DiceInput input =
        DiceInput.builder()
            .codeHash(hash("avf4j service VM, played by the host"))
            .config(
                ConfigDescriptor.builder()
                    .componentName("vm_entry")
                    .securityVersion(VERSION)
                    .rkpVmMarker()
                    .build())
            .authorityHash(normal.publicKey().sha512())
            .mode(DiceMode.DEBUG)
            .build();
    try (DiceHandover handover = handover()) {
      return new ServiceVmLayer(handover.next(input, ISSUER), kernel);
    }
  }

  private VerifiedPayload verify(BaseImage image, boolean debuggable) {
    VerifiedPayload payload;
    try {
      payload = BaseImageVerifier.guest(image, trustedKeys, debuggable);
    } catch (IOException e) {
      throw unreadable(image, e);
    }
    if (payload.debuggable() != debuggable) {
      throw new InvalidImageException(
          "the RAM disks of the base image "
              + image.folder()
              + " are mixed up: make it again with \"avf microdroid build\"");
    }
    return payload;
  }

  private static InvalidImageException unreadable(BaseImage image, IOException cause) {
    return new InvalidImageException(
        "the base image " + image.folder() + " cannot be read (" + cause + "): check its files",
        cause);
  }

  /** What the loader of a device would hand to the firmware; the caller closes it. */
  DiceHandover handover() {
    try (DiceHandover root = DiceHandover.of(secret.cdis(), null);
        DiceHandover host = root.next(layer("avf4j host", DiceMode.NORMAL), ISSUER)) {
      return host.next(layer("pvmfw", DiceMode.DEBUG), ISSUER);
    }
  }

  private static DiceInput layer(String name, DiceMode mode) {
    ConfigDescriptor.Builder config =
        ConfigDescriptor.builder().componentName(name).securityVersion(VERSION);
    if (mode == DiceMode.DEBUG) {
      // The marker of the firmware, behind which a service VM's run of markers begins.
      config.rkpVmMarker();
    }
    return DiceInput.builder()
        .codeHash(hash(name + ", played by the host"))
        .config(config.build())
        .authorityHash(hash("io.github.avf4j"))
        .mode(mode)
        .build();
  }

  private static ByteSlice hash(String text) {
    return ByteSlice.takeOver(
        VerityHash.SHA512.newDigest().digest(text.getBytes(StandardCharsets.UTF_8)));
  }
}
