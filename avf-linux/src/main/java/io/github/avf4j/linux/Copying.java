package io.github.avf4j.linux;

/** {@code pread} and {@code pwrite} without a detour where that is possible. Thread-safe. */
final class Copying {
  private static final int IN = DirectCode.ofThisProcessor().map(DirectCode::copyIn).orElse(0);
  private static final int OUT = DirectCode.ofThisProcessor().map(DirectCode::copyOut).orElse(0);

  private Copying() {}

  /** Copies from an address to a file; returns how many bytes, or the negated error number. */
  static long in(int fd, long address, long count, long offset) {
    if (DirectCalls.AVAILABLE) {
      return DirectCalls.call(IN, fd, address, count, offset);
    }
    long result = LibC.pwrite(fd, address, count, offset);
    return result == -1 ? -Errno.last() : result;
  }

  /** Copies from a file to an address; returns how many bytes, or the negated error number. */
  static long out(int fd, long address, long count, long offset) {
    if (DirectCalls.AVAILABLE) {
      return DirectCalls.call(OUT, fd, address, count, offset);
    }
    long result = LibC.pread(fd, address, count, offset);
    return result == -1 ? -Errno.last() : result;
  }
}
