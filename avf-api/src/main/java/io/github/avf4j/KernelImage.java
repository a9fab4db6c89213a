package io.github.avf4j;

import java.nio.file.Path;

/**
 * A Linux kernel with its modules, for machines that run a {@link Payload}.
 *
 * <p>Any distribution's kernel with virtio serves. The modules that the guest needs are taken from
 * the module folder; a kernel that has them built in needs none.
 *
 * <p>Thread-safe.
 *
 * @param image a bzImage or an uncompressed ELF kernel
 * @param modules the folder with the kernel's modules, as {@code /lib/modules/RELEASE}
 */
public record KernelImage(Path image, Path modules) {
  /** Makes both paths absolute. */
  public KernelImage {
    image = image.toAbsolutePath();
    modules = modules.toAbsolutePath();
  }

  /** Returns the kernel {@code image} with its {@code modules} folder. */
  public static KernelImage of(Path image, Path modules) {
    return new KernelImage(image, modules);
  }

  /**
   * Returns the kernel that {@code bin/setup} fetched: {@code kernels/default} in the cache folder
   * {@code $XDG_CACHE_HOME/avf4j}, or {@code ~/.cache/avf4j} when that is not set. The files need
   * not exist yet.
   */
  public static KernelImage installed() {
    String configured = System.getenv("XDG_CACHE_HOME");
    Path cache =
        configured == null || configured.isBlank()
            ? Path.of(System.getProperty("user.home"), ".cache")
            : Path.of(configured);
    Path folder = cache.resolve("avf4j/kernels/default");
    return new KernelImage(folder.resolve("vmlinuz"), folder.resolve("modules"));
  }
}
