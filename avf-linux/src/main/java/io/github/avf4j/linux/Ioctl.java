package io.github.avf4j.linux;

import io.github.avf4j.HypervisorException;
import java.lang.ref.Reference;

/** {@code ioctl} with and without a check. Thread-safe. */
public final class Ioctl {
  private Ioctl() {}

  /**
   * Issues a request and allocates nothing.
   *
   * @return the result, or the negated error number
   */
  public static int issue(int fd, long request, long argument) {
    return DirectCalls.AVAILABLE
        ? DirectCalls.ioctl(fd, request, argument)
        : issueThroughJna(fd, request, argument);
  }

  static int issueThroughJna(int fd, long request, long argument) {
    int result = LibC.ioctl(fd, request, argument);
    return result == -1 ? -Errno.last() : result;
  }

  /**
   * Issues a request with a number as its argument.
   *
   * @param name the request's name for the message
   * @throws HypervisorException if it fails
   */
  public static int call(String name, Fd fd, long request, long argument) {
    int result = issue(fd.number(), request, argument);
    if (result < 0) {
      throw Errno.failure("ioctl(" + name + ')', -result);
    }
    return result;
  }

  /**
   * Issues a request with a block of memory as its argument.
   *
   * @param name the request's name for the message
   * @throws HypervisorException if it fails
   */
  public static int call(String name, Fd fd, long request, NativeBuffer argument) {
    try {
      return call(name, fd, request, argument.address());
    } finally {
      Reference.reachabilityFence(argument);
    }
  }
}
