package io.github.avf4j.linux;

import com.sun.jna.Native;
import io.github.avf4j.HypervisorException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;

/**
 * Error numbers of Linux (asm-generic, the same on x86-64 and arm64): their names, what to do about
 * them, and the one check that every native call passes through. Thread-safe.
 */
public final class Errno {
  public static final int EPERM = 1;
  public static final int ENOENT = 2;
  public static final int EINTR = 4;
  public static final int EIO = 5;
  public static final int ENXIO = 6;
  public static final int E2BIG = 7;
  public static final int EAGAIN = 11;
  public static final int ENOMEM = 12;
  public static final int EACCES = 13;
  public static final int EFAULT = 14;
  public static final int EBUSY = 16;
  public static final int EEXIST = 17;
  public static final int ENODEV = 19;
  public static final int EINVAL = 22;
  public static final int ENFILE = 23;
  public static final int EMFILE = 24;
  public static final int ENOTTY = 25;
  public static final int ENOSPC = 28;
  public static final int EPIPE = 32;
  public static final int ENOSYS = 38;
  public static final int EOPNOTSUPP = 95;
  public static final int ECONNRESET = 104;
  public static final int ECONNREFUSED = 111;

  private record Entry(String name, String advice) {}

  private static final Map<Integer, Entry> KNOWN =
      Map.ofEntries(
          entry(EPERM, "EPERM", "run it with the rights that the call needs"),
          entry(ENOENT, "ENOENT", "check that the path exists"),
          entry(EINTR, "EINTR", "try again"),
          entry(EIO, "EIO", "look at the kernel log for a device error"),
          entry(ENXIO, "ENXIO", "load the kernel module of this device"),
          entry(E2BIG, "E2BIG", "ask for fewer entries"),
          entry(EAGAIN, "EAGAIN", "raise the limit of processes and threads (ulimit -u)"),
          entry(ENOMEM, "ENOMEM", "free some memory or raise the memory limits of this process"),
          entry(EACCES, "EACCES", "give this user access to it"),
          entry(EFAULT, "EFAULT", "this is a defect of avf4j: please report it"),
          entry(EBUSY, "EBUSY", "stop whatever else uses it"),
          entry(EEXIST, "EEXIST", "remove what is there first"),
          entry(ENODEV, "ENODEV", "load the kernel module of this device"),
          entry(EINVAL, "EINVAL", "this kernel does not support what was asked: try a newer one"),
          entry(ENFILE, "ENFILE", "raise the system's limit of open files (fs.file-max)"),
          entry(EMFILE, "EMFILE", "raise the limit of open files (ulimit -n)"),
          entry(ENOTTY, "ENOTTY", "this kernel does not know the call: try a newer one"),
          entry(ENOSPC, "ENOSPC", "free some space"),
          entry(EPIPE, "EPIPE", "the other end is gone"),
          entry(ENOSYS, "ENOSYS", "this kernel does not know the call: try a newer one"),
          entry(EOPNOTSUPP, "EOPNOTSUPP", "use a file system or device that supports it"),
          entry(ECONNRESET, "ECONNRESET", "the other end is gone"),
          entry(ECONNREFUSED, "ECONNREFUSED", "start what listens on the socket"));

  private Errno() {}

  private static Map.Entry<Integer, Entry> entry(int errno, String name, String advice) {
    return Map.entry(errno, new Entry(name, advice));
  }

  /** Returns the error number of this thread's last failed native call. */
  static int last() {
    return Native.getLastError();
  }

  /** Returns name and number, such as {@code ENOMEM (12)}. */
  public static String describe(int errno) {
    Entry entry = KNOWN.get(errno);
    return (entry == null ? "errno" : entry.name()) + " (" + errno + ')';
  }

  /** Returns an exception that names the call and the error number and says what to do. */
  public static HypervisorException failure(String call, int errno) {
    Entry entry = KNOWN.get(errno);
    String advice = entry == null ? "look the error number up in errno(3)" : entry.advice();
    return new HypervisorException(
        call, errno, call + " failed: " + describe(errno) + ": " + advice);
  }

  /**
   * Returns {@code result} unless it is -1.
   *
   * @throws HypervisorException naming {@code call} if it is -1
   */
  static int check(String call, int result) {
    if (result == -1) {
      throw failure(call, last());
    }
    return result;
  }

  /** As {@link #check(String, int)}. */
  static long check(String call, long result) {
    if (result == -1) {
      throw failure(call, last());
    }
    return result;
  }

  /** Returns {@code text} in UTF-8 with a terminating NUL. */
  static byte[] cString(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    return Arrays.copyOf(bytes, bytes.length + 1);
  }
}
