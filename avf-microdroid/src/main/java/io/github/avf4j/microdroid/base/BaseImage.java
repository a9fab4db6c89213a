package io.github.avf4j.microdroid.base;

import io.github.avf4j.BaseImageException;
import io.github.avf4j.InvalidImageException;
import io.github.avf4j.microdroid.CacheFolder;
import io.github.avf4j.microdroid.FileStamp;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The folder of a base image. Its files have the names that they have in Android, and nothing in
 * them is trusted before {@link HostFirmware} has verified it. Immutable and thread-safe.
 *
 * @param folder where the files are
 */
public record BaseImage(Path folder) {
  /** The kernel with the vbmeta image that signs it and both RAM disks. */
  public static final String KERNEL = "microdroid_kernel";

  /** The RAM disk of guests that cannot be debugged. */
  public static final String INITRD_NORMAL = "microdroid_initrd_normal.img";

  /** The RAM disk of guests that can be debugged. */
  public static final String INITRD_DEBUGGABLE = "microdroid_initrd_debuggable.img";

  /** The read-only file system with its hash tree and footer. */
  public static final String SYSTEM = "microdroid_system.img";

  /** The vbmeta image that signs the hash tree of the system. */
  public static final String VBMETA = "microdroid_vbmeta.img";

  /** What the others are, for tools. */
  public static final String DESCRIPTION = "microdroid.json";

  /** The signed files, in the order in which they are described. */
  static final List<String> IMAGES =
      List.of(KERNEL, INITRD_NORMAL, INITRD_DEBUGGABLE, SYSTEM, VBMETA);

  private static final String ADVICE = "make a base image with \"avf microdroid build\"";

  /** Makes the path absolute. */
  public BaseImage {
    folder = folder.toAbsolutePath();
  }

  /**
   * Opens a base image, whose files must be there; their content is not looked at.
   *
   * @throws BaseImageException if a file is missing, empty or no regular file
   */
  public static BaseImage open(Path folder) {
    BaseImage image = new BaseImage(folder);
    image.stamps();
    return image;
  }

  /**
   * The signed files and the description as they are now.
   *
   * @throws BaseImageException if a file is missing, empty or no regular file
   */
  List<FileStamp> stamps() {
    if (!Files.isDirectory(folder)) {
      throw missing("the base image " + folder + " does not exist: " + ADVICE, null);
    }
    try {
      return Stream.concat(IMAGES.stream(), Stream.of(DESCRIPTION))
          .map(name -> FileStamp.of(folder.resolve(name), "base image's file", ADVICE))
          .toList();
    } catch (InvalidImageException e) {
      throw missing(String.valueOf(e.getMessage()), e);
    }
  }

  private static BaseImageException missing(String message, @Nullable Exception cause) {
    return new BaseImageException(BaseImageException.Reason.PART_MISSING, message, cause);
  }

  /**
   * Where a user's base image is unless something else is said: {@code microdroid} in the cache
   * folder {@code $XDG_CACHE_HOME/avf4j}, or {@code ~/.cache/avf4j} when that is not set. It need
   * not exist yet.
   */
  public static Path installed() {
    return CacheFolder.ofUser().path("microdroid");
  }

  /** The kernel. */
  public Path kernel() {
    return folder.resolve(KERNEL);
  }

  /** The RAM disk of guests that can, or cannot, be debugged. */
  public Path initrd(boolean debuggable) {
    return folder.resolve(debuggable ? INITRD_DEBUGGABLE : INITRD_NORMAL);
  }

  /** The read-only file system. */
  public Path system() {
    return folder.resolve(SYSTEM);
  }

  /** The vbmeta image of the system. */
  public Path vbmeta() {
    return folder.resolve(VBMETA);
  }

  /** The description, in JSON. */
  public Path description() {
    return folder.resolve(DESCRIPTION);
  }
}
