package io.github.avf4j.service;

import io.github.avf4j.Cid;
import io.github.avf4j.CustomImageConfig;
import io.github.avf4j.DebugLevel;
import io.github.avf4j.DiskImage;
import io.github.avf4j.ExecutablePayload;
import io.github.avf4j.InvalidImageException;
import io.github.avf4j.Payload;
import io.github.avf4j.UnsupportedPayloadException;
import io.github.avf4j.VirtualMachineConfig;
import io.github.avf4j.microdroid.FileStamp;
import io.github.avf4j.microdroid.GuestImages;
import io.github.avf4j.microdroid.payload.PayloadDisk;
import io.github.avf4j.spi.DiskSpec;
import io.github.avf4j.spi.MachineSpec;
import java.nio.file.Path;

/**
 * Turns a machine's configuration into what a backend makes of it; prepares the images on the way.
 *
 * <p>Thread-safe.
 */
final class MachineSpecs {
  private static final int SECTOR = 512;

  /**
   * What every payload machine boots with. A reset ends the machine, so a panic resets at once; the
   * keyboard controller is only there for that reset; there is no PCI; and nothing is measured or
   * self-tested that makes the boot longer.
   */
  private static final String COMMAND_LINE =
      "console=ttyS0 reboot=k panic=-1 pci=off i8042.noaux i8042.nomux i8042.dumbkbd"
          + " random.trust_cpu=on cryptomgr.notests";

  /** Each byte on the serial port costs the guest an exit, so only what matters is printed. */
  private static final String QUIET = " quiet loglevel=4";

  private final GuestImages images;
  private final PayloadDisk payloadDisk;

  /** Makes specs for one machine, whose payload disk is the file {@code payloadImage}. */
  MachineSpecs(GuestImages images, Path payloadImage) {
    this.images = images;
    this.payloadDisk = new PayloadDisk(payloadImage);
  }

  /**
   * Returns a builder that lacks the output only.
   *
   * @throws InvalidImageException if kernel, payload or a disk cannot be used
   * @throws UnsupportedPayloadException if the payload is an APK
   */
  MachineSpec.Builder make(String name, Cid cid, VirtualMachineConfig config) {
    MachineSpec.Builder builder =
        MachineSpec.builder()
            .name(name)
            .cid(cid)
            .cpuTopology(config.cpuTopology())
            .memory(config.memory());
    config.payload().ifPresent(payload -> payload(builder, config, executable(name, payload)));
    config.customImage().ifPresent(image -> customImage(builder, image));
    return builder;
  }

  private static ExecutablePayload executable(String name, Payload payload) {
    if (payload instanceof ExecutablePayload executable) {
      return executable;
    }
    throw new UnsupportedPayloadException(
        "VM '"
            + name
            + "' has the payload "
            + payload
            + " but this version cannot run APKs, only verify and pack them: give it a static"
            + " executable with Payload.executable()");
  }

  private void payload(
      MachineSpec.Builder builder, VirtualMachineConfig config, ExecutablePayload payload) {
    // The payload first: its mistakes are the user's most frequent, and found soonest.
    Path disk = payloadDisk.write(payload);
    GuestImages.Boot boot = images.boot(config.kernel());
    builder
        .kernel(boot.kernel())
        .initrd(boot.initrd())
        .commandLine(config.debugLevel() == DebugLevel.FULL ? COMMAND_LINE : COMMAND_LINE + QUIET)
        .addDisk(new DiskSpec(disk, true, PayloadDisk.SERIAL));
  }

  private static void customImage(MachineSpec.Builder builder, CustomImageConfig image) {
    FileStamp.of(image.kernel(), "kernel", "give an ELF kernel or a bzImage");
    builder.kernel(image.kernel()).commandLine(image.commandLine());
    image
        .initrd()
        .ifPresent(
            file -> {
              FileStamp.of(file, "initial RAM disk", "give a cpio archive, compressed or not");
              builder.initrd(file);
            });
    for (DiskImage disk : image.disks()) {
      FileStamp stamp = FileStamp.of(disk.image(), "disk image", "give a raw disk image");
      if (stamp.size() % SECTOR != 0) {
        throw new InvalidImageException(
            "the disk image "
                + disk.image()
                + " must have a multiple of "
                + SECTOR
                + " bytes but has "
                + stamp.size()
                + ": is it raw?");
      }
      builder.addDisk(new DiskSpec(disk.image(), disk.readOnly(), ""));
    }
  }
}
