package io.github.avf4j.microdroid.base;

import io.github.avf4j.KernelImage;
import io.github.avf4j.microdroid.GuestArchitecture;
import io.github.avf4j.microdroid.initrd.InitrdBuilder;
import io.github.avf4j.microdroid.kernel.ModuleFiles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;

/** A kernel with modules and a runtime, all of the right form and none of them able to run. */
record StockGuest(KernelImage kernel, GuestRuntime runtime, GuestArchitecture architecture) {
  static StockGuest in(Path folder) throws IOException {
    return in(folder, GuestArchitecture.X86_64);
  }

  static StockGuest in(Path folder, GuestArchitecture architecture) throws IOException {
    Path modules = Files.createDirectories(folder.resolve("modules"));
    for (String name : InitrdBuilder.MODULES) {
      Files.write(modules.resolve(name + ".ko"), ModuleFiles.of("depends=", "name=" + name));
    }
    for (String name : BaseRamdisk.MODULES) {
      Files.write(modules.resolve(name + ".ko"), ModuleFiles.of("depends=", "name=" + name));
    }
    for (String name : BaseRamdisk.STORE_MODULES) {
      Files.write(modules.resolve(name + ".ko"), ModuleFiles.of("depends=", "name=" + name));
    }
    Files.write(
        modules.resolve("adiantum.ko"),
        ModuleFiles.of("depends=virtio_rng,dm_mod", "name=adiantum"));
    Path runtime = folder.resolve("runtime");
    Path libraries = Files.createDirectories(runtime.resolve("lib64"));
    int size = 5000;
    for (String name : GuestRuntime.libraryNames(architecture)) {
      Files.write(libraries.resolve(name), elf(size++, architecture));
    }
    Path notices = Files.createDirectories(runtime.resolve("notice"));
    Files.writeString(notices.resolve("libc6"), "a licence\n");
    byte[] image = elf(300_001, architecture);
    if (architecture == GuestArchitecture.AARCH64) {
      ByteBuffer.wrap(image).order(ByteOrder.LITTLE_ENDIAN).putInt(56, 0x644d5241);
    }
    Path kernel = Files.write(folder.resolve("vmlinux"), image);
    return new StockGuest(KernelImage.of(kernel, modules), new GuestRuntime(runtime), architecture);
  }

  static byte[] elf(int size) {
    return elf(size, GuestArchitecture.X86_64);
  }

  private static byte[] elf(int size, GuestArchitecture architecture) {
    byte[] bytes = new byte[size];
    new Random(size).nextBytes(bytes);
    ByteBuffer.wrap(bytes)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putInt(0, 0x464c457f)
        .put(4, (byte) 2)
        .putShort(18, (short) architecture.elfMachine());
    return bytes;
  }

  BaseImageBuilder builder() {
    return new BaseImageBuilder(kernel, runtime, architecture);
  }
}
