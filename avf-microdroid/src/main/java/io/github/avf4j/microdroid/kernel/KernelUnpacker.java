package io.github.avf4j.microdroid.kernel;

import io.github.avf4j.InvalidImageException;
import io.github.avf4j.microdroid.CacheFolder;
import io.github.avf4j.microdroid.FileStamp;
import io.github.avf4j.microdroid.GuestArchitecture;
import io.github.avf4j.microdroid.MadeBefore;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Turns a kernel as distributions ship it into what a machine boots, once: the result stays in the
 * cache folder, where machines map it instead of copying it. On x86-64 that is the ELF file in a
 * bzImage, on arm64 the Image in a compressed one or in an EFI executable.
 *
 * <p>Thread-safe.
 */
public final class KernelUnpacker {
  private static final Logger log = LoggerFactory.getLogger(KernelUnpacker.class);
  private static final int MAX_PACKED = 256 << 20;

  private final KernelFormat format;
  private final CacheFolder cache;
  private final MadeBefore before;
  private final Map<FileStamp, Path> known = new ConcurrentHashMap<>();

  /** Makes an unpacker for guests of this host that keeps its results in {@code cache}. */
  public KernelUnpacker(CacheFolder cache) {
    this(cache, GuestArchitecture.host());
  }

  KernelUnpacker(CacheFolder cache, GuestArchitecture architecture) {
    this.format = KernelFormat.of(architecture);
    this.cache = cache;
    this.before = new MadeBefore(cache);
  }

  /**
   * Returns the kernel in {@code image}: the file itself if it is one already. The first call for a
   * packed one takes as long as its decompression, later ones microseconds.
   *
   * @throws InvalidImageException if it is missing, empty, truncated or no kernel
   * @throws io.github.avf4j.StoreException if the cache folder cannot be written
   */
  public Path unpack(Path image) {
    FileStamp stamp = FileStamp.of(image, "kernel", format.advice());
    Path result = known.get(stamp);
    if (result == null || !Files.exists(result)) {
      synchronized (this) {
        result = known.get(stamp);
        if (result == null || !Files.exists(result)) {
          result = recallOrUnpack(stamp);
          known.put(stamp, result);
        }
      }
    }
    return result;
  }

  /**
   * Unpacks a kernel to nowhere: says in little memory whether {@link #unpack} takes it.
   *
   * @throws InvalidImageException if it is missing, empty, truncated or no kernel for it
   */
  public static void check(Path image, GuestArchitecture architecture) {
    KernelFormat format = KernelFormat.of(architecture);
    FileStamp stamp = FileStamp.of(image, "kernel", format.advice());
    try (FileChannel file = FileChannel.open(image)) {
      byte[] head = Channels.newInputStream(file).readNBytes(BzImage.HEADER_END);
      if (!isKernelItself(format, head, stamp)) {
        format.find(image, head, file).check(file);
      }
    } catch (IOException e) {
      throw unreadable(image, e);
    }
  }

  private static boolean isKernelItself(KernelFormat format, byte[] head, FileStamp stamp) {
    boolean kernel = format.isKernel(head);
    if (!kernel && stamp.size() > MAX_PACKED) {
      throw format.invalid(
          stamp.path(), "has " + stamp.size() + " bytes, more than a packed kernel has");
    }
    return kernel;
  }

  private Path recallOrUnpack(FileStamp stamp) {
    String key = "kernel " + stamp.path().toAbsolutePath();
    Optional<MadeBefore.Made> made = before.recall(key);
    if (made.isPresent()) {
      return made.get().file();
    }
    Path result = unpackNow(stamp);
    if (!result.equals(stamp.path())) {
      before.remember(key, new MadeBefore.Made(result, List.of(stamp)));
    }
    return result;
  }

  private Path unpackNow(FileStamp stamp) {
    Path image = stamp.path();
    byte[] content;
    PackedKernel payload;
    try (FileChannel file = FileChannel.open(image)) {
      InputStream in = Channels.newInputStream(file);
      byte[] head = in.readNBytes(BzImage.HEADER_END);
      if (isKernelItself(format, head, stamp)) {
        return image;
      }
      payload = format.find(image, head, file);
      file.position(0);
      content = in.readNBytes(MAX_PACKED);
      if (content.length != stamp.size()) {
        throw format.invalid(image, "changed while it was read");
      }
    } catch (IOException e) {
      throw unreadable(image, e);
    }
    String name = CacheFolder.nameOf(content) + format.suffix();
    long start = System.nanoTime();
    Path file = cache.file("unpacked", name, out -> payload.inflate(content, out));
    log.debug("unpacked {} to {} in {} ms", image, file, (System.nanoTime() - start) / 1_000_000);
    return file;
  }

  private static InvalidImageException unreadable(Path image, IOException e) {
    return new InvalidImageException(
        "the kernel " + image + " cannot be read (" + e + "): check its permissions", e);
  }
}
