package io.github.avf4j.microdroid.kernel;

import io.github.avf4j.InvalidImageException;
import io.github.avf4j.microdroid.CacheFolder;
import io.github.avf4j.microdroid.FileStamp;
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
 * Turns a bzImage into the ELF kernel that it holds, once: the result stays in the cache folder,
 * where machines map it instead of copying it.
 *
 * <p>Thread-safe.
 *
 * @see <a href="https://docs.kernel.org/arch/x86/boot.html">The Linux/x86 boot protocol</a>
 */
public final class KernelUnpacker {
  private static final Logger log = LoggerFactory.getLogger(KernelUnpacker.class);
  private static final int MAX_PACKED = 256 << 20;

  private final CacheFolder cache;
  private final MadeBefore before;
  private final Map<FileStamp, Path> known = new ConcurrentHashMap<>();

  /** Makes an unpacker that keeps its results in {@code cache}. */
  public KernelUnpacker(CacheFolder cache) {
    this.cache = cache;
    this.before = new MadeBefore(cache);
  }

  /**
   * Returns the ELF kernel in {@code image}: the file itself if it is one already. The first call
   * for a bzImage takes as long as its decompression, later ones microseconds.
   *
   * @throws InvalidImageException if it is missing, empty, truncated or no kernel
   * @throws io.github.avf4j.StoreException if the cache folder cannot be written
   */
  public Path unpack(Path image) {
    FileStamp stamp = FileStamp.of(image, "kernel", BzImage.ADVICE);
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
   * @throws InvalidImageException if it is missing, empty, truncated or no kernel
   */
  public static void check(Path image) {
    FileStamp stamp = FileStamp.of(image, "kernel", BzImage.ADVICE);
    try (FileChannel file = FileChannel.open(image)) {
      byte[] head = Channels.newInputStream(file).readNBytes(BzImage.HEADER_END);
      if (!isKernelItself(head, stamp)) {
        BzImage.find(image, head, file.size()).check(file);
      }
    } catch (IOException e) {
      throw unreadable(image, e);
    }
  }

  private static boolean isKernelItself(byte[] head, FileStamp stamp) {
    if (!BzImage.isElf(head) && stamp.size() > MAX_PACKED) {
      throw BzImage.invalid(
          stamp.path(), "has " + stamp.size() + " bytes, more than a bzImage has");
    }
    return BzImage.isElf(head);
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
    try (InputStream in = Files.newInputStream(image)) {
      if (isKernelItself(in.readNBytes(BzImage.HEADER_END), stamp)) {
        return image;
      }
    } catch (IOException e) {
      throw unreadable(image, e);
    }
    byte[] content = read(image);
    BzImage payload = BzImage.find(image, content, content.length);
    String name = CacheFolder.nameOf(content) + ".elf";
    long start = System.nanoTime();
    Path file = cache.file("unpacked", name, out -> payload.inflate(content, out));
    log.debug("unpacked {} to {} in {} ms", image, file, (System.nanoTime() - start) / 1_000_000);
    return file;
  }

  private static byte[] read(Path image) {
    try (InputStream in = Files.newInputStream(image)) {
      return in.readNBytes(MAX_PACKED);
    } catch (IOException e) {
      throw unreadable(image, e);
    }
  }

  private static InvalidImageException unreadable(Path image, IOException e) {
    return new InvalidImageException(
        "the kernel " + image + " cannot be read (" + e + "): check its permissions", e);
  }
}
