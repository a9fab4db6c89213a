package io.github.avf4j.service;

import io.github.avf4j.ApkPayload;
import io.github.avf4j.InvalidImageException;
import io.github.avf4j.PayloadException;
import io.github.avf4j.StoreException;
import io.github.avf4j.VirtualMachineConfig;
import io.github.avf4j.attestation.SecretBytes;
import io.github.avf4j.attestation.pvmfw.InstanceImage;
import io.github.avf4j.attestation.pvmfw.InstanceStorage;
import io.github.avf4j.attestation.pvmfw.NextHandover;
import io.github.avf4j.attestation.pvmfw.PvmfwException;
import io.github.avf4j.microdroid.base.BaseImage;
import io.github.avf4j.microdroid.base.BootRecord;
import io.github.avf4j.microdroid.base.HostFirmware;
import io.github.avf4j.microdroid.base.TrustedBaseImage;
import io.github.avf4j.microdroid.payload.PackException;
import io.github.avf4j.microdroid.payload.PackOptions;
import io.github.avf4j.microdroid.payload.PackedVm;
import io.github.avf4j.microdroid.payload.VmFolder;
import io.github.avf4j.microdroid.report.HostMessages;
import io.github.avf4j.service.attest.AttestationAuthority;
import io.github.avf4j.service.keeper.HostKeeper;
import io.github.avf4j.spi.DiskSpec;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Prepares one machine with an APK payload: packs its files, plays its firmware, and says which
 * disks it has.
 *
 * <p>Confined to one run at a time.
 */
final class MicrodroidMachine {
  // The guest finds its disks by these.
  private static final String PAYLOAD = "vm-payload";
  private static final String INSTANCE = "vm-instance";
  private static final String STORE = "encryptedstore";
  private static final String SYSTEM = "system";
  private static final String SYSTEM_VBMETA = "system-vbmeta";

  private final MicrodroidHost host;
  private final Path folder;

  /**
   * What a run needs.
   *
   * @param image what boots
   * @param disks in the guest's order
   * @param hugepages whether the payload asks for memory in huge pages
   * @param boot what the guest waits for, which the owner closes
   */
  record Prepared(BaseImage image, List<DiskSpec> disks, boolean hugepages, GuestBoot boot) {}

  /** Keeps a machine's files in {@code folder}. */
  MicrodroidMachine(MicrodroidHost host, Path folder) {
    this.host = host;
    this.folder = folder;
  }

  /**
   * Makes everything for one run.
   *
   * @param apexes modules that the payload needs
   * @throws PayloadException if the payload or a file of the machine cannot be used
   * @throws PvmfwException if the firmware refuses the base image or the instance
   * @throws InvalidImageException if kernel, runtime or base image cannot be used
   * @throws StoreException if a folder cannot be written, or the keeper of secrets cannot be used
   */
  Prepared prepare(
      VirtualMachineConfig config,
      ApkPayload payload,
      List<PackOptions.Apex> apexes,
      boolean debuggable) {
    PackedVm packed = pack(config, payload, apexes);
    TrustedBaseImage image = host.image(config);
    List<DiskSpec> disks = new ArrayList<>();
    disks.add(new DiskSpec(image.image().system(), true, SYSTEM));
    disks.add(new DiskSpec(image.image().vbmeta(), true, SYSTEM_VBMETA));
    disks.add(new DiskSpec(packed.payloadDisk(), true, PAYLOAD));
    disks.add(new DiskSpec(packed.instanceImage(), false, INSTANCE));
    packed.encryptedStore().ifPresent(store -> disks.add(new DiskSpec(store, false, STORE)));
    Optional<HostKeeper> keeper =
        config.updatable() ? Optional.of(host.keeper()) : Optional.empty();
    AttestationAuthority authority = host.authority(image);
    SecretBytes message = boot(image, packed, debuggable, keeper);
    GuestBoot boot =
        new GuestBoot(message, authority, keeper.map(opened -> opened.serve(packed.instanceId())));
    return new Prepared(image.image(), disks, packed.hugepages(), boot);
  }

  private PackedVm pack(
      VirtualMachineConfig config, ApkPayload payload, List<PackOptions.Apex> apexes) {
    PackOptions options = PackOptions.DEFAULT.withApexes(apexes);
    if (config.encryptedStorage().isPresent()) {
      options = options.withEncryptedStorage(config.encryptedStorage().get());
    }
    try {
      return new VmFolder(folder).pack(payload, options);
    } catch (PackException e) {
      throw new PayloadException(e.error().code(), String.valueOf(e.getMessage()), e);
    }
  }

  /** A machine with a keeper protects itself, and so needs no instance image. */
  private SecretBytes boot(
      TrustedBaseImage image, PackedVm packed, boolean debuggable, Optional<HostKeeper> keeper) {
    boolean updatable = keeper.isPresent();
    try (FileChannel file =
        FileChannel.open(
            packed.instanceImage(), StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      InstanceImage instance = InstanceImage.openPartition(InstanceStorage.of(file));
      try (NextHandover next =
              host.firmware(image.key())
                  .boot(
                      image.image(),
                      new HostFirmware.Instance(
                          debuggable,
                          packed.instanceId(),
                          updatable,
                          updatable ? null : instance));
          SecretBytes handover = next.handover().encode()) {
        new BootRecord(folder.resolve(BootRecord.FILE_NAME)).accept(next.payload());
        return HostMessages.boot(
            new HostMessages.Instance(
                next.isNewInstance(),
                next.rollback().isDeferred(),
                packed.instanceId(),
                keeper.map(HostKeeper::publicKey)),
            handover);
      }
    } catch (IOException e) {
      throw new StoreException(
          "cannot use the instance's files in " + folder + " (" + e + "): check their permissions",
          e);
    }
  }
}
