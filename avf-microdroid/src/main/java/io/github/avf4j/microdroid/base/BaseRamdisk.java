package io.github.avf4j.microdroid.base;

import io.github.avf4j.microdroid.boot.Bootconfig;
import io.github.avf4j.microdroid.initrd.CpioWriter;
import io.github.avf4j.microdroid.initrd.InitrdBuilder;
import io.github.avf4j.microdroid.kernel.KernelModule;
import io.github.avf4j.microdroid.kernel.ModuleFolder;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Writes the initial RAM disk: the guest's init with its modules, the same bytes for both kinds of
 * guest; an archive with the file {@code bootconfig}; and the bootconfig trailer. Confined to one
 * thread.
 */
final class BaseRamdisk {
  /** What Microdroid needs of a kernel besides what every guest does. */
  static final List<String> MODULES =
      List.of("dm_mod", "dm_verity", "dm_crypt", "ecb", "xts", "erofs", "fuse", "loop");

  private static final List<String> FOLDERS =
      List.of("apex", "mnt", "mnt/apk", "mnt/encryptedstore", "system");

  private final byte[] init;
  private final List<KernelModule> modules;

  /**
   * Reads the modules.
   *
   * @throws io.github.avf4j.InvalidImageException if one is missing or damaged
   */
  BaseRamdisk(byte[] init, Path moduleFolder) {
    List<String> names = new ArrayList<>(InitrdBuilder.MODULES);
    names.addAll(MODULES);
    this.init = init;
    this.modules = ModuleFolder.open(moduleFolder).resolve(names);
  }

  /** Writes the file. */
  void write(Path file, List<String> bootconfig) throws IOException {
    try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(file))) {
      long size = common(out) + copy(out, String.join("", bootconfig));
      out.write(Bootconfig.trailer(size, bootconfig));
    }
  }

  private long common(OutputStream out) throws IOException {
    CpioWriter cpio = new CpioWriter(out);
    InitrdBuilder.write(cpio, init, modules);
    for (String folder : FOLDERS) {
      cpio.directory(folder, 0755);
    }
    // Where executables and the loader of the runtime look for their loader and libraries.
    cpio.symbolicLink("lib64", "system/lib64");
    cpio.symbolicLink("lib/x86_64-linux-gnu", "../system/lib64");
    return cpio.finish();
  }

  private static long copy(OutputStream out, String text) throws IOException {
    CpioWriter cpio = new CpioWriter(out);
    cpio.file("bootconfig", 0444, text.getBytes(StandardCharsets.UTF_8));
    return cpio.finish();
  }
}
