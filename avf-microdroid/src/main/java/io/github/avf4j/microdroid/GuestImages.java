package io.github.avf4j.microdroid;

import io.github.avf4j.KernelImage;
import io.github.avf4j.microdroid.base.BaseImage;
import io.github.avf4j.microdroid.initrd.InitrdBuilder;
import io.github.avf4j.microdroid.kernel.KernelUnpacker;
import java.nio.file.Path;

/**
 * What a machine with a payload boots: a kernel, unpacked, and an initial RAM disk.
 *
 * <p>Thread-safe.
 */
public final class GuestImages {
  private final KernelUnpacker kernels;
  private final InitrdBuilder initrds;

  /**
   * The files for one kernel; nobody changes them.
   *
   * @param kernel the kernel, unpacked
   * @param initrd the initial RAM disk
   */
  public record Boot(Path kernel, Path initrd) {}

  /** Makes images in {@code cache}. */
  public GuestImages(CacheFolder cache) {
    this.kernels = new KernelUnpacker(cache);
    this.initrds = new InitrdBuilder(cache);
  }

  /**
   * Returns a kernel unpacked, as machines of this host boot it.
   *
   * @throws io.github.avf4j.InvalidImageException if it cannot be used
   * @throws io.github.avf4j.StoreException if the cache folder cannot be written
   */
  public Path kernel(Path image) {
    return kernels.unpack(image);
  }

  /**
   * Returns the kernel in a base image, which was verified before, unpacked.
   *
   * @throws io.github.avf4j.InvalidImageException if it cannot be used
   * @throws io.github.avf4j.StoreException if the cache folder cannot be written
   */
  public Path kernel(BaseImage image) {
    return kernels.unpack(image.kernel());
  }

  /**
   * Returns the files to boot {@code kernel}. Takes a second or two for a kernel that was never
   * booted on this machine, and microseconds when this object has seen it before.
   *
   * @throws io.github.avf4j.InvalidImageException if the kernel or a module cannot be used
   * @throws io.github.avf4j.StoreException if the cache folder cannot be written
   */
  public Boot boot(KernelImage kernel) {
    return new Boot(kernels.unpack(kernel.image()), initrds.build(kernel));
  }
}
