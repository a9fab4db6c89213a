package io.github.avf4j.kvm.boot;

import io.github.avf4j.InvalidImageException;
import io.github.avf4j.linux.MemFd;
import io.github.avf4j.linux.MemoryMapping;
import io.github.avf4j.virtio.memory.GuestMemory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * The contents of a kernel or initrd file, read once: small ones in the heap, large ones in a
 * sealed memfd whose pages can be mapped into guests. Nobody can change or shorten it any more.
 * Thread-safe.
 */
public final class ImageFile {
  private static final long PAGE = MemoryMapping.PAGE_SIZE;

  private final Path path;
  private final ByteBuffer bytes;
  private final @Nullable MemFd pages;

  /** Wraps the contents; {@code pages} has the same contents if they can be mapped. */
  public ImageFile(Path path, ByteBuffer bytes, @Nullable MemFd pages) {
    this.path = path;
    this.bytes = bytes.asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN);
    this.pages = pages;
  }

  /** Returns the path that it was read from. */
  public Path path() {
    return path;
  }

  /** Returns the length in bytes. */
  public int size() {
    return bytes.limit();
  }

  /** Returns the contents, little-endian, for absolute reads. */
  public ByteBuffer bytes() {
    return bytes;
  }

  /** Returns an exception whose message starts with the path. */
  public InvalidImageException invalid(String sentence) {
    return new InvalidImageException(path + " " + sentence);
  }

  /**
   * Puts {@code length} bytes of the file at {@code offset} into RAM at {@code gpa}: whole pages
   * are mapped where the memory and the alignment allow it, the rest is copied.
   */
  public void load(GuestRam ram, int offset, long gpa, int length) {
    GuestMemory memory = ram.direct();
    long first = gpa + PAGE - 1 & -PAGE;
    long last = gpa + length & -PAGE;
    if (pages == null || !ram.takesOverlays() || (gpa - offset) % PAGE != 0 || last <= first) {
      copy(memory, offset, gpa, length);
      return;
    }
    copy(memory, offset, gpa, (int) (first - gpa));
    ram.overlay(first, pages.fd(), offset + (first - gpa), last - first);
    int done = (int) (last - gpa);
    copy(memory, offset + done, last, length - done);
  }

  private void copy(GuestMemory memory, int offset, long gpa, int length) {
    if (length > 0) {
      memory.write(gpa, bytes.slice(offset, length));
    }
  }
}
