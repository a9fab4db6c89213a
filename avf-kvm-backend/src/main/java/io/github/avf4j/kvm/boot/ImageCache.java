package io.github.avf4j.kvm.boot;

import io.github.avf4j.InvalidImageException;
import io.github.avf4j.linux.MemFd;
import io.github.avf4j.linux.MemoryMapping;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.Consumer;

/**
 * Kernel and initrd files that this process has read: a file is read once as long as its path,
 * size, modification time and inode stay the same. Keeps the {@value #CAPACITY} used last, also
 * after the machines: nothing that holds secrets belongs here. Thread-safe.
 */
public final class ImageCache {
  /** How many files are kept. */
  public static final int CAPACITY = 2;

  /** Files below this size are read each time: that is cheaper than what a mapping needs. */
  public static final int SMALL = 256 << 10;

  private static final long LARGEST = 1L << 30;

  /** Kernels. */
  public static final ImageCache KERNELS = new ImageCache("kernel");

  /** Initial RAM disks. */
  public static final ImageCache INITRDS = new ImageCache("initrd");

  private record Key(Path path, long size, Object modified, Object inode) {}

  /** A file in memory; the users are counted so that it is not unmapped under them. */
  private static final class Entry {
    final Key key;
    final MemFd pages;
    final MemoryMapping view;
    final ImageFile file;
    int users;
    boolean evicted;

    Entry(Key key, MemFd pages, MemoryMapping view, ImageFile file) {
      this.key = key;
      this.pages = pages;
      this.view = view;
      this.file = file;
    }

    void free() {
      view.close();
      pages.close();
    }
  }

  private final String what;
  private final Deque<Entry> entries = new ArrayDeque<>();

  ImageCache(String what) {
    this.what = what;
  }

  /**
   * Calls {@code user} with the contents of {@code path}, which must not keep them.
   *
   * @throws InvalidImageException if it is no readable, nonempty regular file of at most 1 GiB
   */
  public void use(Path path, Consumer<ImageFile> user) {
    Key key = key(path);
    if (key.size() < SMALL) {
      user.accept(readSmall(key));
      return;
    }
    Entry entry = acquire(key);
    try {
      user.accept(entry.file);
    } finally {
      release(entry);
    }
  }

  private Key key(Path path) {
    BootFile file = new BootFile(what, path);
    BasicFileAttributes attributes = file.attributes();
    if (attributes.size() > LARGEST) {
      throw file.invalid("is larger than 1 GiB: give a " + what + " image");
    }
    // The file key is device and inode.
    return new Key(
        path.toAbsolutePath(),
        attributes.size(),
        attributes.lastModifiedTime(),
        String.valueOf(attributes.fileKey()));
  }

  private ImageFile readSmall(Key key) {
    try (InputStream in = Files.newInputStream(key.path())) {
      byte[] bytes = in.readNBytes(SMALL);
      return new ImageFile(key.path(), ByteBuffer.wrap(bytes), null);
    } catch (IOException e) {
      throw new BootFile(what, key.path()).unreadable(e);
    }
  }

  private synchronized Entry acquire(Key key) {
    Entry found = null;
    for (Entry entry : entries) {
      if (entry.key.equals(key)) {
        found = entry;
      }
    }
    if (found == null) {
      found = read(key);
    } else {
      entries.remove(found);
    }
    entries.addFirst(found);
    found.users++;
    while (entries.size() > CAPACITY) {
      Entry oldest = entries.removeLast();
      oldest.evicted = true;
      if (oldest.users == 0) {
        oldest.free();
      }
    }
    return found;
  }

  private synchronized void release(Entry entry) {
    entry.users--;
    if (entry.evicted && entry.users == 0) {
      entry.free();
    }
  }

  private Entry read(Key key) {
    MemFd pages = MemFd.sealedCopy("avf-" + what, key.path(), key.size());
    try {
      MemoryMapping view = MemoryMapping.readOnly(pages.fd(), 0, pages.size());
      ByteBuffer bytes = view.chunks().get(0).slice(0, (int) key.size());
      return new Entry(key, pages, view, new ImageFile(key.path(), bytes, pages));
    } catch (RuntimeException e) {
      pages.close();
      throw e;
    }
  }
}
