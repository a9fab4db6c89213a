package io.github.avf4j.microdroid.kernel;

import io.github.avf4j.InvalidImageException;
import io.github.avf4j.microdroid.CacheFolder;
import io.github.avf4j.microdroid.FileStamp;
import io.github.avf4j.microdroid.MadeBefore;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
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
  private static final String ADVICE =
      "give a bzImage (vmlinuz) or an ELF kernel, or run bin/setup to fetch one";

  private static final int MAX_PACKED = 256 << 20;
  private static final int MAX_UNPACKED = 1 << 30;

  private static final byte[] ELF = {0x7f, 'E', 'L', 'F'};
  private static final int SETUP_SECTS = 0x1f1;
  private static final int MAGIC = 0x202;
  private static final int HDRS = 0x53726448;
  private static final int VERSION = 0x206;
  private static final int VERSION_WITH_PAYLOAD = 0x208;
  private static final int PAYLOAD_OFFSET = 0x248;
  private static final int PAYLOAD_LENGTH = 0x24c;
  private static final int HEADER_END = 0x250;
  private static final int SECTOR = 512;

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
    FileStamp stamp = FileStamp.of(image, "kernel", ADVICE);
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
      byte[] head = in.readNBytes(HEADER_END);
      if (isElf(head)) {
        return image;
      }
      if (stamp.size() > MAX_PACKED) {
        throw invalid(image, "has " + stamp.size() + " bytes, more than a bzImage has");
      }
    } catch (IOException e) {
      throw unreadable(image, e);
    }
    byte[] content = read(image);
    ByteBuffer payload = payload(image, content);
    String name = CacheFolder.nameOf(content) + ".elf";
    long start = System.nanoTime();
    Path file = cache.file("unpacked", name, out -> inflate(image, payload, out));
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

  /** Finds the compressed kernel in a bzImage. */
  private static ByteBuffer payload(Path image, byte[] content) {
    if (content.length < HEADER_END) {
      throw invalid(image, "is no kernel");
    }
    ByteBuffer header = ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN);
    if (header.getInt(MAGIC) != HDRS) {
      throw invalid(image, "is no kernel");
    }
    int version = Short.toUnsignedInt(header.getShort(VERSION));
    if (version < VERSION_WITH_PAYLOAD) {
      throw invalid(image, "is a kernel from before 2008, with boot protocol " + hex(version));
    }
    int setupSectors = Byte.toUnsignedInt(header.get(SETUP_SECTS));
    // A value of 0 means 4, for historical reasons (boot protocol, setup_sects).
    long start = (long) ((setupSectors == 0 ? 4 : setupSectors) + 1) * SECTOR;
    long offset = start + Integer.toUnsignedLong(header.getInt(PAYLOAD_OFFSET));
    long length = Integer.toUnsignedLong(header.getInt(PAYLOAD_LENGTH));
    if (offset + length > content.length) {
      throw invalid(
          image,
          "is truncated: its kernel ends at byte "
              + (offset + length)
              + " but the file has "
              + content.length);
    }
    if (length < 8) {
      throw invalid(image, "holds no compressed kernel");
    }
    return header.slice((int) offset, (int) length).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static void inflate(Path image, ByteBuffer payload, OutputStream out) throws IOException {
    byte[] content = payload.array();
    int offset = payload.arrayOffset();
    int length = payload.limit();
    // The kernel's build puts the unpacked size after the compressed data.
    long size = Integer.toUnsignedLong(payload.getInt(length - 4));
    Compression compression =
        Compression.at(content, offset)
            .orElseThrow(
                () ->
                    invalid(image, "is compressed in another way than with gzip, xz, zstd or lz4"));
    if (size > MAX_UNPACKED) {
      throw invalid(image, "claims to unpack to " + size + " bytes, more than a kernel has");
    }
    int packed = compression == Compression.GZIP ? length : length - 4;
    byte[] buffer = new byte[1 << 16];
    long total = 0;
    try (InputStream in = open(image, compression, content, offset, packed)) {
      int count;
      while ((count = readSome(image, in, buffer)) > 0) {
        if (total == 0 && !isElf(buffer)) {
          throw invalid(image, "holds no ELF kernel");
        }
        total += count;
        if (total > size) {
          break;
        }
        out.write(buffer, 0, count);
      }
    }
    if (total != size) {
      throw invalid(image, "is damaged: it must unpack to " + size + " bytes but does not");
    }
  }

  private static InputStream open(
      Path image, Compression compression, byte[] content, int offset, int length) {
    try {
      return compression.open(new ByteArrayInputStream(content, offset, length));
    } catch (IOException | RuntimeException e) {
      throw damaged(image, e);
    }
  }

  /** Reads at least four bytes unless the end comes first, so that the magic is whole. */
  private static int readSome(Path image, InputStream in, byte[] buffer) {
    try {
      return in.readNBytes(buffer, 0, buffer.length);
    } catch (IOException | RuntimeException e) {
      throw damaged(image, e);
    }
  }

  private static boolean isElf(byte[] head) {
    return head.length >= ELF.length && Arrays.equals(head, 0, ELF.length, ELF, 0, ELF.length);
  }

  private static String hex(int value) {
    return (value >> 8) + "." + String.format("%02d", value & 0xff);
  }

  private static InvalidImageException invalid(Path image, String what) {
    return new InvalidImageException("the kernel " + image + ' ' + what + ": " + ADVICE);
  }

  private static InvalidImageException damaged(Path image, Exception e) {
    return new InvalidImageException(
        "the kernel " + image + " is damaged (" + e + "): " + ADVICE, e);
  }

  private static InvalidImageException unreadable(Path image, IOException e) {
    return new InvalidImageException(
        "the kernel " + image + " cannot be read (" + e + "): check its permissions", e);
  }
}
