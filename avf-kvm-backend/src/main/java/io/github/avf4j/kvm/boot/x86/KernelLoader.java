package io.github.avf4j.kvm.boot.x86;

import io.github.avf4j.InvalidImageException;
import io.github.avf4j.kvm.boot.BootState;
import io.github.avf4j.kvm.boot.ImageCache;
import io.github.avf4j.kvm.boot.ImageFile;
import io.github.avf4j.kvm.boot.Initrd;
import io.github.avf4j.linux.MemoryMapping;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Puts kernel, initrd and command line into a machine's RAM and says how to start. Confined to one
 * thread.
 */
public final class KernelLoader {
  // Kernels take an initrd up to here without more conditions.
  private static final long INITRD_MAX = 0x7FFFFFFFL;

  private final MachineMemory memory;
  private final Optional<Path> initrd;
  private final byte[] commandLine;
  private BootState state = vcpu -> {};

  private KernelLoader(MachineMemory memory, Optional<Path> initrd, String commandLine) {
    this.memory = memory;
    this.initrd = initrd;
    this.commandLine = (commandLine + '\0').getBytes(StandardCharsets.US_ASCII);
  }

  /**
   * Loads everything: an ELF kernel with a PVH entry by PVH, other ELF kernels and bzImages by the
   * 64-bit protocol of Linux.
   *
   * @throws InvalidImageException if a file cannot be used or the memory is too small for it
   */
  public static BootState load(
      MachineMemory memory, Path kernel, Optional<Path> initrd, String commandLine) {
    KernelLoader loader = new KernelLoader(memory, initrd, commandLine);
    ImageCache.KERNELS.use(kernel, loader::loadKernel);
    return loader.state;
  }

  private void loadKernel(ImageFile file) {
    memory.guest().write(Layout.COMMAND_LINE, commandLine, 0, commandLine.length);
    if (ElfKernel.isElf(file)) {
      loadElf(file, ElfKernel.parse(file));
    } else if (BzImage.isBzImage(file)) {
      BzImage image = BzImage.parse(file);
      requireRoom(file, image.end());
      image.load(file, memory);
      Initrd disk = loadInitrd(image.end(), Math.min(image.initrdMax(), INITRD_MAX));
      LinuxBoot.prepare(memory, disk, commandLine.length, file, image);
      state = new LinuxBoot(image.entry());
    } else {
      throw file.invalid(
          "is neither an ELF file nor a bzImage"
              + hint(file)
              + ": give an uncompressed vmlinux or a bzImage for x86-64");
    }
  }

  private void loadElf(ImageFile file, ElfKernel kernel) {
    requireRoom(file, kernel.end());
    kernel.load(file, memory);
    Initrd disk = loadInitrd(kernel.end(), INITRD_MAX);
    if (kernel.pvhEntry().isPresent()) {
      PvhBoot.prepare(memory, disk);
      state = new PvhBoot(kernel.pvhEntry().getAsLong());
    } else {
      LinuxBoot.prepare(memory, disk, commandLine.length);
      state = new LinuxBoot(kernel.entry());
    }
  }

  private void requireRoom(ImageFile file, long end) {
    if (end > memory.lowEnd()) {
      throw file.invalid(
          "needs memory up to "
              + mebibytes(end)
              + " but the machine has "
              + mebibytes(memory.lowEnd())
              + " below 3 GiB: give the machine more memory");
    }
  }

  private Initrd loadInitrd(long kernelEnd, long max) {
    if (initrd.isEmpty()) {
      return Initrd.NONE;
    }
    Initrd[] loaded = {Initrd.NONE};
    ImageCache.INITRDS.use(
        initrd.get(),
        file -> {
          long end = Math.min(memory.lowEnd(), max + 1);
          long at = end - file.size() & -MemoryMapping.PAGE_SIZE;
          if (at < kernelEnd) {
            throw file.invalid(
                "does not fit: "
                    + mebibytes(file.size())
                    + " of initrd above the kernel's end at "
                    + mebibytes(kernelEnd)
                    + " in "
                    + mebibytes(end)
                    + ": give the machine more memory");
          }
          file.load(memory.ram(), 0, at, file.size());
          loaded[0] = new Initrd(at, file.size());
        });
    return loaded[0];
  }

  private static String hint(ImageFile file) {
    int magic = file.size() < 4 ? 0 : file.bytes().getInt(0);
    if ((magic & 0xFFFF) == 0x8B1F) {
      return " but gzip data";
    }
    if (file.size() >= 64 && file.bytes().getInt(56) == 0x644D5241) {
      return " but a kernel for arm64";
    }
    return "";
  }

  private static String mebibytes(long bytes) {
    return (bytes + (1 << 20) - 1 >> 20) + " MiB";
  }
}
