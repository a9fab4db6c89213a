package io.github.avf4j.service;

import io.github.avf4j.ApkPayload;
import io.github.avf4j.Cid;
import io.github.avf4j.CustomImageConfig;
import io.github.avf4j.DebugLevel;
import io.github.avf4j.DiskImage;
import io.github.avf4j.ExecutablePayload;
import io.github.avf4j.InvalidImageException;
import io.github.avf4j.JavaPayload;
import io.github.avf4j.VirtualMachineConfig;
import io.github.avf4j.microdroid.FileStamp;
import io.github.avf4j.microdroid.GuestArchitecture;
import io.github.avf4j.microdroid.GuestImages;
import io.github.avf4j.microdroid.java.PackedJavaPayload;
import io.github.avf4j.microdroid.payload.PackOptions;
import io.github.avf4j.microdroid.payload.PayloadDisk;
import io.github.avf4j.spi.DiskSpec;
import io.github.avf4j.spi.MachineSpec;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Turns a machine's configuration into what a backend makes of it; prepares the images on the way.
 *
 * <p>Thread-safe.
 */
final class MachineSpecs {
  private static final int SECTOR = 512;
  private static final String EXECUTABLE_DISK = "payload.img";

  /** A reset ends the machine, so a panic resets at once. */
  private static final String COMMAND_LINE = "console=ttyS0 panic=-1";

  /** On x86-64 the keyboard controller resets; on arm64 the firmware is asked to. */
  private static final String X86_RESET = " reboot=k";

  /** Nothing is measured or self-tested that makes the boot longer. */
  private static final String FAST = " random.trust_cpu=on cryptomgr.notests";

  /** The keyboard controller is only there for resets, and there is no PCI. */
  private static final String X86_FAST = " pci=off i8042.noaux i8042.nomux i8042.dumbkbd";

  /** Each byte on the serial port costs the guest an exit, so only what matters is printed. */
  private static final String QUIET = " quiet loglevel=4";

  private final GuestImages images;
  private final PayloadDisk payloadDisk;
  private final MicrodroidHost host;
  private final MicrodroidMachine microdroid;
  private final MachineFirmware firmware;

  /**
   * A machine to be.
   *
   * @param spec lacks the output only
   * @param boot what a guest waits for that verifies its payload; the owner closes it
   */
  record Prepared(MachineSpec.Builder spec, Optional<GuestBoot> boot) implements AutoCloseable {
    @Override
    public void close() {
      boot.ifPresent(GuestBoot::close);
    }
  }

  /** The backend has read the files of the machine, or never will: those with secrets go. */
  void made() {
    firmware.remove();
  }

  /** Makes specs for one machine, whose files are in {@code folder}. */
  MachineSpecs(GuestImages images, MicrodroidHost host, Path folder) {
    this.images = images;
    this.payloadDisk = new PayloadDisk(folder.resolve(EXECUTABLE_DISK));
    this.host = host;
    this.microdroid = new MicrodroidMachine(host, folder);
    this.firmware = new MachineFirmware(host, folder);
  }

  /**
   * Prepares all of a run but the output.
   *
   * @throws InvalidImageException if kernel, payload or a disk cannot be used
   * @throws io.github.avf4j.JavaPayloadException if a Java class cannot be made a payload
   * @throws io.github.avf4j.PayloadException if an APK or what belongs to it cannot be used
   * @throws io.github.avf4j.attestation.pvmfw.PvmfwException if the firmware refuses the machine
   */
  Prepared make(String name, Cid cid, VirtualMachineConfig config) {
    MachineSpec.Builder builder =
        MachineSpec.builder()
            .name(name)
            .cid(cid)
            .cpuTopology(config.cpuTopology())
            .memory(config.memory())
            .protection(config.protectionLevel());
    config.customImage().ifPresent(image -> customImage(builder, image));
    Optional<GuestBoot> boot = Optional.empty();
    if (config.payload().orElse(null) instanceof ExecutablePayload executable) {
      executable(builder, config, executable);
    } else if (config.payload().orElse(null) instanceof ApkPayload apk) {
      boot = Optional.of(apk(builder, config, apk, List.of()));
    } else if (config.payload().orElse(null) instanceof JavaPayload java) {
      PackedJavaPayload packed = host.java().pack(java);
      boot = Optional.of(apk(builder, config, packed.apk(), packed.apexes()));
    }
    return new Prepared(builder, boot);
  }

  private GuestBoot apk(
      MachineSpec.Builder builder,
      VirtualMachineConfig config,
      ApkPayload payload,
      List<PackOptions.Apex> apexes) {
    boolean debuggable = config.debugLevel() == DebugLevel.FULL;
    MicrodroidMachine.Prepared prepared = microdroid.prepare(config, payload, apexes, debuggable);
    try {
      builder
          .kernel(images.kernel(prepared.image()))
          .initrd(prepared.image().initrd(debuggable))
          .commandLine(commandLine(config))
          .hugepages(prepared.hugepages())
          .addAllDisks(prepared.disks());
      return prepared.boot();
    } catch (RuntimeException | Error e) {
      prepared.boot().close();
      throw e;
    }
  }

  private static String commandLine(VirtualMachineConfig config) {
    return commandLine(GuestArchitecture.host(), config.debugLevel());
  }

  /** What a kernel of the user's own boots with that was given no command line. */
  static String commandLine(GuestArchitecture architecture) {
    return architecture == GuestArchitecture.X86_64 ? COMMAND_LINE + X86_RESET : COMMAND_LINE;
  }

  /** What every payload machine boots with. */
  static String commandLine(GuestArchitecture architecture, DebugLevel level) {
    return commandLine(architecture)
        + FAST
        + (architecture == GuestArchitecture.X86_64 ? X86_FAST : "")
        + (level == DebugLevel.FULL ? "" : QUIET);
  }

  private void executable(
      MachineSpec.Builder builder, VirtualMachineConfig config, ExecutablePayload payload) {
    // The payload first: its mistakes are the user's most frequent, and found soonest.
    Path disk = payloadDisk.write(payload);
    GuestImages.Boot boot = images.boot(config.kernel());
    builder
        .kernel(boot.kernel())
        .initrd(boot.initrd())
        .commandLine(commandLine(config))
        .addDisk(new DiskSpec(disk, true, PayloadDisk.SERIAL));
  }

  private void customImage(MachineSpec.Builder builder, CustomImageConfig image) {
    FileStamp.of(image.kernel(), "kernel", "give a Linux kernel");
    builder
        .kernel(customKernel(image))
        .commandLine(image.commandLine().orElseGet(() -> commandLine(GuestArchitecture.host())));
    image
        .firmware()
        .ifPresent(kind -> builder.firmware(firmware.file(kind)).instanceId(firmware.instanceId()));
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

  /** Firmware verifies the file as it is, and on x86-64 backends unpack it themselves. */
  private Path customKernel(CustomImageConfig image) {
    return image.firmware().isPresent() || GuestArchitecture.host() == GuestArchitecture.X86_64
        ? image.kernel()
        : images.kernel(image.kernel());
  }
}
