package io.github.avf4j.microdroid.initrd;

import io.github.avf4j.KernelImage;
import io.github.avf4j.microdroid.CacheFolder;
import io.github.avf4j.microdroid.FileStamp;
import io.github.avf4j.microdroid.MadeBefore;
import io.github.avf4j.microdroid.kernel.KernelModule;
import io.github.avf4j.microdroid.kernel.ModuleFolder;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import java.util.zip.CRC32C;

/**
 * Makes the initial RAM disk of a kernel: the guest's init, and the modules that it loads.
 *
 * <p>It is the same for every plain payload, and made once per kernel; those with packages boot a
 * base image.
 *
 * <p>Thread-safe.
 */
public final class InitrdBuilder {
  /** What a stock kernel may have as modules and the guest cannot do without. */
  public static final List<String> MODULES =
      List.of(
          "virtio_mmio",
          "virtio_blk",
          "vmw_vsock_virtio_transport",
          "virtio_console",
          "virtio_rng");

  private static final List<String> FOLDERS =
      List.of("dev", "lib", "lib/modules", "payload", "proc", "run", "sys", "tmp");

  private final CacheFolder cache;
  private final Supplier<byte[]> init;
  private final MadeBefore before;
  private final Map<Path, MadeBefore.Made> known = new ConcurrentHashMap<>();

  /** Makes a builder that keeps its results in {@code cache}. */
  public InitrdBuilder(CacheFolder cache) {
    this(cache, GuestBinary.INIT::read);
  }

  InitrdBuilder(CacheFolder cache, Supplier<byte[]> init) {
    this.cache = cache;
    this.init = init;
    this.before = new MadeBefore(cache);
  }

  /**
   * Returns the initial RAM disk for {@code kernel}. The first call reads its modules; later ones
   * take microseconds as long as these stay the same.
   *
   * @throws io.github.avf4j.InvalidImageException if a module is missing or damaged
   * @throws io.github.avf4j.StoreException if the cache folder cannot be written
   */
  public Path build(KernelImage kernel) {
    MadeBefore.Made made = known.get(kernel.modules());
    if (made == null || !made.isCurrent()) {
      synchronized (this) {
        made = known.get(kernel.modules());
        if (made == null || !made.isCurrent()) {
          made = recallOrBuild(kernel.modules());
          known.put(kernel.modules(), made);
        }
      }
    }
    return made.file();
  }

  private MadeBefore.Made recallOrBuild(Path folder) {
    byte[] content = init.get();
    CRC32C checksum = new CRC32C();
    checksum.update(content);
    String key =
        String.join(
            " ",
            "initrd",
            Long.toHexString(checksum.getValue()),
            MODULES.toString(),
            folder.toString());
    return before
        .recall(key)
        .orElseGet(
            () -> {
              MadeBefore.Made made = buildNow(folder, content);
              before.remember(key, made);
              return made;
            });
  }

  private MadeBefore.Made buildNow(Path folder, byte[] init) {
    ModuleFolder kernel = ModuleFolder.open(folder);
    List<KernelModule> modules = kernel.resolve(MODULES);
    List<FileStamp> sources = modules.stream().map(KernelModule::source).toList();
    byte[] content = archive(init, modules);
    String name = CacheFolder.nameOf(content) + ".cpio";
    return new MadeBefore.Made(cache.file("initrd", name, out -> out.write(content)), sources);
  }

  /** Returns the archive; the same input gives the same bytes. */
  static byte[] archive(byte[] init, List<KernelModule> modules) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try {
      CpioWriter cpio = new CpioWriter(out);
      for (String folder : FOLDERS) {
        cpio.directory(folder, 0755);
      }
      cpio.characterDevice("dev/console", 0600, 5, 1);
      cpio.file("init", 0755, init);
      ModuleList.LOAD.write(cpio, modules);
      cpio.finish();
    } catch (IOException e) {
      throw new AssertionError("writing to memory does not fail", e);
    }
    return out.toByteArray();
  }
}
