package io.github.avf4j.linux;

/** Gives the storage behind a part of a file back to the host. Thread-safe. */
public final class FileHoles {
  private static final int FALLOC_FL_KEEP_SIZE = 1;
  private static final int FALLOC_FL_PUNCH_HOLE = 2;

  private FileHoles() {}

  /**
   * Makes {@code length} bytes at {@code offset} read as zeros and take no storage; the file's
   * length stays.
   *
   * @return false if the file system cannot do that, and nothing was changed
   * @throws io.github.avf4j.HypervisorException if it failed for another reason
   * @see <a href="https://man7.org/linux/man-pages/man2/fallocate.2.html">fallocate(2)</a>
   */
  public static boolean punch(Fd file, long offset, long length) {
    int result =
        LibC.fallocate(file.number(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, length);
    if (result < 0 && Errno.last() == Errno.EOPNOTSUPP) {
      return false;
    }
    Errno.check("fallocate(FALLOC_FL_PUNCH_HOLE)", result);
    return true;
  }
}
