package io.github.avf4j.linux;

import io.github.avf4j.InvalidImageException;
import java.lang.ref.Reference;
import java.nio.file.Path;

/** A file in memory that has no name and can be sealed. Thread-safe. */
public final class MemFd implements AutoCloseable {
  private static final int MOST_AT_ONCE = 1 << 30;

  private final Fd fd;
  private final long size;

  private MemFd(Fd fd, long size) {
    this.fd = fd;
    this.size = size;
  }

  /**
   * Makes a file of {@code size} zero bytes that takes no memory until it is touched.
   *
   * @param name shows in /proc for people only
   * @throws io.github.avf4j.HypervisorException if the system refuses it
   */
  public static MemFd create(String name, long size) {
    int flags = LibC.MFD_CLOEXEC | LibC.MFD_ALLOW_SEALING;
    Fd fd = Fd.own(Errno.check("memfd_create()", LibC.memfd_create(Errno.cString(name), flags)));
    try {
      Errno.check("ftruncate(memfd)", LibC.ftruncate(fd.number(), size));
    } catch (RuntimeException e) {
      fd.close();
      throw e;
    }
    return new MemFd(fd, size);
  }

  /**
   * Makes a sealed copy of the first {@code size} bytes of a file, without a way through the heap.
   * The file in memory is padded with zeros to whole pages, so that it can be mapped.
   *
   * @throws InvalidImageException if the file is shorter by now
   * @throws io.github.avf4j.HypervisorException if it cannot be read or there is no memory
   */
  public static MemFd sealedCopy(String name, Path file, long size) {
    long pages = Math.addExact(size, MemoryMapping.PAGE_SIZE - 1) & -MemoryMapping.PAGE_SIZE;
    MemFd copy = create(name, pages);
    try (Fd source = Fd.openReadOnly(file)) {
      NativeBuffer offset = NativeBuffer.allocate(8);
      while (offset.bytes().getLong(0) < size) {
        long left = size - offset.bytes().getLong(0);
        long n =
            Errno.check(
                "sendfile(" + file + ")",
                LibC.sendfile(
                    copy.fd.number(),
                    source.number(),
                    offset.address(),
                    Math.min(left, MOST_AT_ONCE)));
        if (n == 0) {
          throw new InvalidImageException(
              file + " became shorter while it was read: give a file that nobody writes");
        }
      }
      Reference.reachabilityFence(offset);
      copy.seal();
      return copy;
    } catch (RuntimeException e) {
      copy.close();
      throw e;
    }
  }

  /** Forbids everybody for ever to write, shrink or grow the file. */
  public void seal() {
    long seals = LibC.F_SEAL_SEAL | LibC.F_SEAL_SHRINK | LibC.F_SEAL_GROW | LibC.F_SEAL_WRITE;
    Errno.check("fcntl(F_ADD_SEALS)", LibC.fcntl(fd.number(), LibC.F_ADD_SEALS, seals));
  }

  /** Forbids everybody for ever to shrink or grow the file; it stays writable. */
  public void sealSize() {
    long seals = LibC.F_SEAL_SHRINK | LibC.F_SEAL_GROW;
    Errno.check("fcntl(F_ADD_SEALS)", LibC.fcntl(fd.number(), LibC.F_ADD_SEALS, seals));
  }

  /**
   * Says whether nobody can ever shorten the file behind {@code fd}, be it this process or another
   * one. False for everything that is no file in memory.
   */
  public static boolean isShrinkSealed(Fd fd) {
    int seals = LibC.fcntl(fd.number(), LibC.F_GET_SEALS, 0);
    return seals != -1 && (seals & LibC.F_SEAL_SHRINK) != 0;
  }

  /** Returns the descriptor, still owned by this object. */
  public Fd fd() {
    return fd;
  }

  /** Returns the size in bytes. */
  public long size() {
    return size;
  }

  @Override
  public void close() {
    fd.close();
  }
}
