package io.github.avf4j.microdroid.initrd;

import io.github.avf4j.KernelImage;
import io.github.avf4j.microdroid.CacheFolder;
import io.github.avf4j.microdroid.FileStamp;
import io.github.avf4j.microdroid.MadeBefore;
import io.github.avf4j.microdroid.kernel.KernelModule;
import io.github.avf4j.microdroid.kernel.ModuleFolder;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.CRC32C;

/**
 * Makes the initial RAM disk of a kernel: the guest's init, and the modules that it loads.
 *
 * <p>It is the same for every payload, and made once per kernel. There are two: one for plain
 * payloads, and one that also has the modules for verified packages and encrypted storage, about
 * 1.5 MiB more. Init loads these only when it needs them.
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

  /** What verified packages and encrypted storage need besides. */
  static final List<String> MICRODROID_MODULES =
      List.of("loop", "dm_verity", "dm_crypt", "fuse", "erofs");

  /**
   * The ciphers of encrypted storage: HCTR2, or Adiantum and what it is made of. No kernel has all
   * of these as modules, and one of them suffices.
   */
  static final List<String> CIPHER_MODULES =
      List.of("hctr2", "adiantum", "nhpoly1305", "chacha_generic");

  private static final List<String> FOLDERS =
      List.of("dev", "lib", "lib/modules", "payload", "proc", "run", "sys", "tmp");
  private static final String MODULE_FOLDER = "lib/modules/";

  private final CacheFolder cache;
  private final Supplier<byte[]> init;
  private final boolean microdroid;
  private final MadeBefore before;
  private final Map<Path, MadeBefore.Made> known = new ConcurrentHashMap<>();

  /** Makes a builder for plain payloads that keeps its results in {@code cache}. */
  public InitrdBuilder(CacheFolder cache) {
    this(cache, GuestBinary.INIT::read, false);
  }

  InitrdBuilder(CacheFolder cache, Supplier<byte[]> init, boolean microdroid) {
    this.cache = cache;
    this.init = init;
    this.microdroid = microdroid;
    this.before = new MadeBefore(cache);
  }

  /** Makes a builder for verified packages that keeps its results in {@code cache}. */
  public static InitrdBuilder microdroid(CacheFolder cache) {
    return new InitrdBuilder(cache, GuestBinary.INIT::read, true);
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
            microdroid ? MICRODROID_MODULES.toString() + CIPHER_MODULES : "",
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
    List<KernelModule> more = microdroid ? more(kernel, modules) : List.of();
    List<FileStamp> sources =
        Stream.concat(modules.stream(), more.stream()).map(KernelModule::source).toList();
    byte[] content = archive(init, modules, more);
    String name = CacheFolder.nameOf(content) + ".cpio";
    return new MadeBefore.Made(cache.file("initrd", name, out -> out.write(content)), sources);
  }

  /** Returns what is loaded on demand, without what is loaded anyway. */
  private static List<KernelModule> more(ModuleFolder kernel, List<KernelModule> modules) {
    List<String> wanted = new ArrayList<>(MICRODROID_MODULES);
    wanted.addAll(kernel.present(CIPHER_MODULES));
    Set<String> names = modules.stream().map(KernelModule::name).collect(Collectors.toSet());
    return kernel.resolve(wanted).stream()
        .filter(module -> !names.contains(module.name()))
        .toList();
  }

  /** Returns the archive; the same input gives the same bytes. */
  static byte[] archive(byte[] init, List<KernelModule> modules, List<KernelModule> more) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try {
      CpioWriter cpio = new CpioWriter(out);
      for (String folder : FOLDERS) {
        cpio.directory(folder, 0755);
      }
      cpio.characterDevice("dev/console", 0600, 5, 1);
      cpio.file("init", 0755, init);
      modules(cpio, "load", modules);
      if (!more.isEmpty()) {
        modules(cpio, "microdroid", more);
      }
      cpio.finish();
    } catch (IOException e) {
      throw new AssertionError("writing to memory does not fail", e);
    }
    return out.toByteArray();
  }

  /** Writes modules and the list of them in load order. */
  private static void modules(CpioWriter cpio, String list, List<KernelModule> modules)
      throws IOException {
    StringBuilder lines = new StringBuilder();
    for (KernelModule module : modules) {
      String path = MODULE_FOLDER + module.name() + ".ko";
      cpio.file(path, 0444, module.content());
      lines.append('/').append(path).append('\n');
    }
    cpio.file(MODULE_FOLDER + list, 0444, lines.toString().getBytes(StandardCharsets.UTF_8));
  }
}
