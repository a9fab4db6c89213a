package io.github.avf4j.kvm.boot.arm64;

import io.github.avf4j.InvalidImageException;
import io.github.avf4j.kvm.boot.GuestRam;
import io.github.avf4j.kvm.boot.ImageCache;
import io.github.avf4j.kvm.boot.ImageFile;
import io.github.avf4j.kvm.boot.Initrd;
import io.github.avf4j.kvm.boot.arm64.BootMaterial.Payload;
import io.github.avf4j.spi.MachineSpec;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * Puts firmware, kernel, initrd and device tree into a machine's RAM and says how to start.
 * Confined to one thread.
 */
final class Loader {
  /** What happens to a kernel's file: where it ends in RAM, and what is told of it. */
  private record Kernel(long entry, long end, Payload payload) {}

  private final GuestRam ram;
  private final MachineSpec spec;
  private final Hardware hardware;
  private final Start start;
  private final long deviceTree;
  private final long limit;

  private Loader(GuestRam ram, MachineSpec spec, Hardware hardware, Start start) {
    this.ram = ram;
    this.spec = spec;
    this.hardware = hardware;
    this.start = start;
    long end = Layout.RAM + hardware.memory();
    if (start == Start.KERNEL) {
      // The last 2 MiB that are aligned so; files stay below it.
      deviceTree = Math.max(Layout.RAM, end - Layout.FDT_MAX & -Layout.FDT_MAX);
      limit = deviceTree;
    } else {
      deviceTree = Layout.FIRMWARE_FDT;
      limit = end;
    }
  }

  /**
   * Loads everything.
   *
   * @throws InvalidImageException if a file cannot be used or the memory is too small for it
   */
  static Arm64Boot load(GuestRam ram, MachineSpec spec, Hardware hardware, Start start) {
    return new Loader(ram, spec, hardware, start).load();
  }

  private Arm64Boot load() {
    spec.firmware().ifPresent(firmware -> FirmwareFile.load(firmware, ram.direct()));
    Kernel kernel = start == Start.KERNEL ? loadKernel() : loadPayload();
    Initrd initrd = loadInitrd(kernel.end());
    byte[] tree =
        MachineTree.write(
            hardware,
            new BootMaterial(
                spec.commandLine(),
                initrd,
                kernel.payload(),
                spec.instanceId(),
                BootMaterial.newSeed()));
    ram.direct().write(deviceTree, tree, 0, tree.length);
    return new Arm64Boot(
        kernel.entry(), deviceTree, kernel.payload().address(), kernel.payload().size());
  }

  private Kernel loadKernel() {
    return used(
        file -> {
          LinuxImage image = LinuxImage.parse(file);
          long address = Layout.RAM + image.textOffset();
          requireRoom(file, address + image.size());
          file.load(ram, 0, address, file.size());
          return new Kernel(address, address + image.size(), Payload.NONE);
        });
  }

  /** Leaves it to the firmware what the file is. */
  private Kernel loadPayload() {
    long entry = start == Start.FIRMWARE ? Layout.FIRMWARE : 0;
    return used(
        file -> {
          long end = Layout.FIRMWARE_PAYLOAD + file.size();
          requireRoom(file, end);
          file.load(ram, 0, Layout.FIRMWARE_PAYLOAD, file.size());
          return new Kernel(entry, end, new Payload(Layout.FIRMWARE_PAYLOAD, file.size()));
        });
  }

  private Kernel used(Function<ImageFile, Kernel> loader) {
    Kernel[] loaded = new Kernel[1];
    Consumer<ImageFile> user = file -> loaded[0] = loader.apply(file);
    ImageCache.KERNELS.use(spec.kernel(), user);
    return loaded[0];
  }

  private void requireRoom(ImageFile file, long end) {
    if (end > limit) {
      throw file.invalid(
          "needs memory up to "
              + mebibytes(end - Layout.RAM)
              + " but the machine has "
              + mebibytes(hardware.memory())
              + (start == Start.KERNEL ? ", of which 2 MiB are for its device tree" : "")
              + ": give the machine more memory");
    }
  }

  private Initrd loadInitrd(long kernelEnd) {
    if (spec.initrd().isEmpty()) {
      return Initrd.NONE;
    }
    long at = kernelEnd + Layout.INITRD_ALIGNMENT - 1 & -Layout.INITRD_ALIGNMENT;
    Initrd[] loaded = {Initrd.NONE};
    ImageCache.INITRDS.use(
        spec.initrd().get(),
        file -> {
          requireRoom(file, at + file.size());
          file.load(ram, 0, at, file.size());
          loaded[0] = new Initrd(at, file.size());
        });
    return loaded[0];
  }

  private static String mebibytes(long bytes) {
    return (bytes + (1 << 20) - 1 >> 20) + " MiB";
  }
}
