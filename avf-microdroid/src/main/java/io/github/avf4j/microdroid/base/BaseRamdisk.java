package io.github.avf4j.microdroid.base;

import io.github.avf4j.microdroid.FileStamp;
import io.github.avf4j.microdroid.GuestArchitecture;
import io.github.avf4j.microdroid.boot.Bootconfig;
import io.github.avf4j.microdroid.initrd.CpioWriter;
import io.github.avf4j.microdroid.initrd.GuestBinary;
import io.github.avf4j.microdroid.initrd.InitrdBuilder;
import io.github.avf4j.microdroid.initrd.ModuleList;
import io.github.avf4j.microdroid.kernel.KernelModule;
import io.github.avf4j.microdroid.kernel.ModuleFolder;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Writes the initial RAM disk: the guest's init with its modules, the same bytes for both kinds of
 * guest; an archive with the file {@code bootconfig}; and the bootconfig trailer. Confined to one
 * thread.
 *
 * <p>Modules stand in three lists ({@link ModuleList}), as each module costs a guest time.
 */
final class BaseRamdisk {
  /** What Microdroid needs of a kernel besides what every guest does. */
  static final List<String> MODULES = List.of("dm_mod", "dm_verity", "erofs", "fuse", "loop");

  /** What encrypted storage needs besides. */
  static final List<String> STORE_MODULES = List.of("dm_crypt");

  /** Its ciphers and their parts; no kernel has all, and one suffices. */
  static final List<String> CIPHERS =
      List.of("hctr2", "adiantum", "nhpoly1305", "chacha_generic", "ecb", "xts");

  private static final List<String> FOLDERS =
      List.of(
          "apex",
          "dev",
          "lib",
          "lib/modules",
          "mnt",
          "mnt/apk",
          "payload",
          "proc",
          "run",
          "sys",
          "system",
          "tmp");

  private final byte[] init;
  private final GuestArchitecture architecture;
  private final Map<String, KernelModule> always = new LinkedHashMap<>();
  private final Map<String, KernelModule> microdroid = new LinkedHashMap<>();
  private final Map<String, KernelModule> store = new LinkedHashMap<>();

  /**
   * Reads the modules.
   *
   * @throws io.github.avf4j.InvalidImageException if one is missing or damaged
   */
  BaseRamdisk(GuestArchitecture architecture, Path moduleFolder) {
    this.init = GuestBinary.INIT.read(architecture);
    this.architecture = architecture;
    ModuleFolder kernel = ModuleFolder.open(moduleFolder);
    kernel.resolve(InitrdBuilder.MODULES).forEach(module -> always.put(module.name(), module));
    add(kernel.resolve(MODULES), microdroid);
    add(kernel.resolve(STORE_MODULES), store);
    add(kernel.resolveAvailable(CIPHERS), store);
  }

  private void add(List<KernelModule> modules, Map<String, KernelModule> list) {
    for (KernelModule module : modules) {
      if (!always.containsKey(module.name()) && !microdroid.containsKey(module.name())) {
        list.putIfAbsent(module.name(), module);
      }
    }
  }

  /** The files that the modules were read from. */
  List<FileStamp> sources() {
    return Stream.of(always, microdroid, store)
        .flatMap(list -> list.values().stream())
        .map(KernelModule::source)
        .toList();
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
    for (String folder : FOLDERS) {
      cpio.directory(folder, 0755);
    }
    cpio.characterDevice("dev/console", 0600, 5, 1);
    cpio.file("init", 0755, init);
    ModuleList.LOAD.write(cpio, always.values());
    ModuleList.MICRODROID.write(cpio, microdroid.values());
    ModuleList.STORE.write(cpio, store.values());
    // Where executables and the loader of the runtime look for their loader and libraries.
    cpio.symbolicLink("lib64", "system/lib64");
    cpio.symbolicLink("lib/" + architecture.multiarchName(), "../system/lib64");
    if (architecture.loaderFolder().equals("lib")) {
      cpio.symbolicLink("lib/" + architecture.loader(), "../system/lib64/" + architecture.loader());
    }
    return cpio.finish();
  }

  private static long copy(OutputStream out, String text) throws IOException {
    CpioWriter cpio = new CpioWriter(out);
    cpio.file("bootconfig", 0444, text.getBytes(StandardCharsets.UTF_8));
    return cpio.finish();
  }
}
