package io.github.avf4j.linux;

import io.github.avf4j.HypervisorException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.file.Path;

/**
 * A file descriptor that somebody owns.
 *
 * <p>{@link #close()} is idempotent. Whoever uses {@link #number()} in a call makes sure that no
 * other thread closes it meanwhile, because the kernel gives closed numbers out again. Thread-safe.
 */
public final class Fd implements AutoCloseable {
  private static final VarHandle NUMBER;

  static {
    try {
      NUMBER = MethodHandles.lookup().findVarHandle(Fd.class, "number", int.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private volatile int number;

  private Fd(int number) {
    this.number = number;
  }

  /** Takes over a descriptor; from now on only this object closes it. */
  public static Fd own(int number) {
    if (number < 0) {
      throw new IllegalArgumentException("a descriptor must not be negative but was " + number);
    }
    return new Fd(number);
  }

  /**
   * Opens a file for reading and writing, close-on-exec.
   *
   * @throws HypervisorException with the error number if it cannot be opened
   */
  public static Fd openReadWrite(Path path) {
    return open(path, LibC.O_RDWR);
  }

  /**
   * Opens a file for reading, close-on-exec.
   *
   * @throws HypervisorException with the error number if it cannot be opened
   */
  public static Fd openReadOnly(Path path) {
    return open(path, LibC.O_RDONLY);
  }

  private static Fd open(Path path, int flags) {
    int fd = LibC.open(Errno.cString(path.toString()), flags | LibC.O_CLOEXEC, 0);
    return new Fd(Errno.check("open(" + path + ")", fd));
  }

  /**
   * Returns the number.
   *
   * @throws IllegalStateException if it is closed
   */
  public int number() {
    int n = number;
    if (n < 0) {
      throw new IllegalStateException("the descriptor is closed");
    }
    return n;
  }

  /** Returns whether {@link #close()} was called. */
  public boolean isClosed() {
    return number < 0;
  }

  @Override
  public void close() {
    int n = (int) NUMBER.getAndSet(this, -1);
    if (n >= 0) {
      LibC.close(n);
    }
  }

  @Override
  public String toString() {
    return "fd " + number;
  }
}
